/* The syntax tree of a Python file, shaped like CPython's `ast` (kinds and fields: nodes.def; operators:
 * op.def). A node has a head and the fields of its kind:
 *
 *     if (node->kind == PY_Call && node->Call.func->kind == PY_Attribute)
 *         use(node->Call.func->Attribute.attr, node->Call.args.items[0], node->line);
 *
 * Nodes live in the arena given to py_parse and never change afterwards. Only the fields of its own kind
 * exist in a node's memory: never copy a node by value, never read another kind's fields. Identifiers
 * are slices of the source (of the arena where Unicode normalisation changed them) and live as long as
 * both. Spans are byte offsets into py_module.text, end exclusive, as exact as CPython's positions; a
 * child's span lies in its parent's, save that decorators stand before what they decorate. No tree is
 * higher than PY_HEIGHT_MAX, so walking it recursively is safe.
 */
#ifndef LW_PYTHON_AST_H
#define LW_PYTHON_AST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { PY_HEIGHT_MAX = 1200 };

enum py_kind {
#define PY_NODE(name, group, fields) PY_##name,
#include "python/nodes.def"
    PY_KIND_COUNT
};

/* PY_OP_Add, PY_OP_Eq, ...; PY_OP_None where a node has no operator. */
enum py_op {
#define PY_OP(name, text) PY_OP_##name,
#include "python/op.def"
#undef PY_OP
    PY_OP_COUNT
};

enum py_ctx { PY_Load, PY_Store, PY_Del };

/* What a Constant is. Numbers keep their text (py_int_value, py_float_value), strings and bytes are
 * decoded by py_string_value. */
enum py_constant {
    PY_CONST_None,
    PY_CONST_True,
    PY_CONST_False,
    PY_CONST_Ellipsis,
    PY_CONST_Int,
    PY_CONST_Float,
    PY_CONST_Complex,
    PY_CONST_Str,
    PY_CONST_Bytes
};

/* How a Constant of kind Str or Bytes is written. */
enum py_string_form {
    PY_STRING_TOKENS,      /* text: one or more literals with their prefixes and quotes */
    PY_STRING_DECODED,     /* text: the value itself (a literal piece of an f-string) */
    PY_STRING_INEXACT = 2, /* or-ed to DECODED: had a \N{...} escape, see py_string_value */
    PY_STRING_U = 4        /* or-ed: the first literal has the prefix u (CPython's Constant.kind) */
};

struct py_node;

struct py_list {
    struct py_node **items;
    uint32_t count;
};

struct py_names {
    struct str *items;
    uint32_t count;
};

struct py_ops {
    const uint8_t *items; /* enum py_op; as many as Compare has comparators */
    uint32_t count;
};

/* The structs py_Assign, py_Call, ... with the fields of each kind. */
#define NODE(field) struct py_node *field;
#define OPT(field) struct py_node *field;
#define LIST(field) struct py_list field;
#define OPT_LIST(field) struct py_list field;
#define NAME(field) struct str field;
#define OPT_NAME(field) struct str field;
#define NAMES(field) struct py_names field;
#define OPS(field) struct py_ops field;
#define TEXT(field) struct str field;
#define COUNT(field) uint32_t field;
#define EMPTY char unused;
#define PY_NODE(name, group, fields)                                                               \
    struct py_##name {                                                                             \
        fields                                                                                     \
    };
#include "python/nodes.def"

struct py_node {
    uint8_t kind; /* enum py_kind */
    union {
        uint8_t op;   /* enum py_op: BoolOp, BinOp, UnaryOp, AugAssign */
        uint8_t form; /* enum py_string_form: Constant */
    };
    uint8_t ctx; /* enum py_ctx: Attribute, Subscript, Starred, Name, List, Tuple */
    union {
        uint8_t constant;   /* enum py_constant: Constant, MatchSingleton */
        uint8_t conversion; /* FormattedValue, Interpolation: 's', 'r', 'a' or 0 */
        uint8_t is_async;   /* comprehension */
        uint8_t simple;     /* AnnAssign: a bare name, without parentheses */
    };
    uint32_t line;       /* of the first byte, from 1 */
    uint32_t start, end; /* byte offsets into py_module.text */
    union {
#define PY_NODE(name, group, fields) struct py_##name name;
#include "python/nodes.def"
    };
};

/* A fault in the source. Messages are sentences without a period; constant or arena text. */
struct py_error {
    uint32_t offset; /* into py_module.text */
    struct pos pos;
    const char *message;
};

/* A comment, from its '#' to the end of its line. */
struct py_comment {
    uint32_t start, end; /* offsets into py_module.text */
    uint32_t line;
    bool is_alone; /* no code stands on its line, and it is not inside a statement */
};

/* A statement of several lines: brackets, backslashes, a string with line ends. A compound statement is its first
 * line alone, up to the colon; what is joined by `;` is one. */
struct py_joined {
    uint32_t first, last;
};

/* One parsed file. */
struct py_module {
    struct str text;         /* what spans refer to: the source as UTF-8 */
    struct py_node *root;    /* a Module; statements with an error are left out */
    struct py_error *errors; /* in the order of the text */
    uint32_t error_count;    /* at most PY_ERRORS_MAX; then the last one says so */
    uint32_t line_count;
    const uint32_t *line_starts; /* offsets of lines 1 to line_count */
    /* In the order of the text; those of a statement with an error may be missing. */
    const struct py_comment *comments;
    uint32_t comment_count;
    const struct py_joined *joined;
    uint32_t joined_count;
};

enum { PY_ERRORS_MAX = 100 };

/* The line (from 1) of a byte offset, the lines beginning at `line_starts`, ascending. O(log lines). */
uint32_t py_line_at(const uint32_t *line_starts, uint32_t line_count, uint32_t offset);

/* The line and column (from 1, in bytes) of a byte offset into `module->text`. O(log lines). */
struct pos py_pos(const struct py_module *module, uint32_t offset);
/* The same, of an offset that is not before that of `before`: quick if it is on the same line. */
struct pos py_pos_after(const struct py_module *module, struct pos before, uint32_t offset);

/* The lines of the statement that `line` belongs to: itself, if none goes over several. O(log joined_count). */
struct py_joined py_statement_lines(const struct py_module *module, uint32_t line);

/* "Call", "Add": the name CPython's `ast` has for it. */
const char *py_kind_name(enum py_kind kind);
const char *py_op_name(enum py_op op);

/* Calls `visit` on each child of `node` in the order of nodes.def, NULLs left out. */
void py_visit_children(const struct py_node *node,
                       void (*visit)(const struct py_node *child, void *context), void *context);

#endif
