/* The statement loop, and what an error does: the statement is dropped, the lexer goes to the next line that
 * can begin one, in the same block or in one around it. See parser.h for how the parts work together. */
#include "python/parse.h"

#include "base/assert.h"
#include "python/parser.h"
#include "python/unicode.h"

#include <stdlib.h>

enum { STACK_START = 256, BLOCK_BYTES_MIN = 1024, BLOCK_BYTES_MAX = 64 << 10 };

void *py_alloc_slow(struct py_parser *p, size_t byte_size) {
    /* Large lists get a piece of their own, so the rest of the block isn't lost. */
    if (byte_size > BLOCK_BYTES_MIN)
        return arena_alloc(p->arena, byte_size);
    size_t block_size = p->lexer.len * 4u;
    if (block_size < BLOCK_BYTES_MIN)
        block_size = BLOCK_BYTES_MIN;
    if (block_size > BLOCK_BYTES_MAX)
        block_size = BLOCK_BYTES_MAX;
    p->next = arena_alloc(p->arena, block_size);
    p->end = p->next + block_size;
    void *block = p->next;
    p->next += byte_size;
    return block;
}

void py_push_slow(struct py_parser *p) {
    p->stack_capacity = p->stack_capacity == 0 ? STACK_START : p->stack_capacity * 2;
    p->stack = mem_realloc(p->stack, p->stack_capacity * sizeof(*p->stack));
}

struct py_list py_pop_list(struct py_parser *p, uint32_t mark) {
    LW_ASSERT(mark <= p->stack_count);
    struct py_list list = {.count = p->stack_count - mark};
    if (list.count == 0)
        return list;
    list.items = py_alloc(p, list.count * sizeof(*list.items));
    memcpy(list.items, p->stack + mark, list.count * sizeof(*list.items));
    p->stack_count = mark;
    return list;
}

bool py_expected(struct py_parser *p, const char *what) {
    if (p->lexer.has_failed)
        return false;
    struct py_token *tok = &p->lexer.tok;
    if (tok->type == TOK_NAME)
        return py_fail(&p->lexer, tok->start, "expected %s, not '%.*s'", what,
                       tok->end - tok->start > 60 ? 60 : (int)(tok->end - tok->start),
                       p->lexer.text + tok->start);
    return py_fail(&p->lexer, tok->start, "expected %s, not %s", what, py_token_text(tok->type));
}

bool py_enter(struct py_parser *p) {
    return ++p->depth <= PY_DEPTH_MAX ||
           py_fail(&p->lexer, p->lexer.tok.start, "too deeply nested");
}

struct str py_tok_str(const struct py_parser *p) {
    const struct py_token *tok = &p->lexer.tok;
    return (struct str){p->lexer.text + tok->start, tok->end - tok->start};
}

bool py_tok_is(const struct py_parser *p, const char *word) {
    return py_tok(p) == TOK_NAME && p->lexer.text[p->lexer.tok.start] == word[0] &&
           str_is(py_tok_str(p), word);
}

struct str py_name(struct py_parser *p, const char *what) {
    if (py_tok(p) != TOK_NAME) {
        py_expected(p, what);
        return STR("?");
    }
    struct str name = py_tok_str(p);
    if ((p->lexer.tok.flags & PY_TOK_UNICODE) != 0)
        name = py_nfkc(p->arena, name);
    py_next(&p->lexer);
    return name;
}

struct py_node *py_nothing(struct py_parser *p) {
    struct py_mark at = py_here(p);
    return PY_NEW(p, at, Constant);
}

struct height {
    uint32_t above, most;
};

static void measure(const struct py_node *node, void *context) {
    struct height *height = context;
    if (++height->above > height->most)
        height->most = height->above;
    if (height->most <= PY_STMT_HEIGHT_MAX)
        py_visit_children(node, measure, height);
    height->above--;
}

/* Recursion bounds the height of a tree, save for what loops built; if they built much, it is measured. */
static void check_height(struct py_parser *p, uint32_t mark) {
    for (uint32_t i = mark; i < p->stack_count && p->chain > PY_CHAIN_MAX; i++) {
        struct height height = {0};
        measure(p->stack[i], &height);
        if (height.most > PY_STMT_HEIGHT_MAX) {
            p->commit_end = UINT32_MAX;
            p->lexer.tok.start = p->stack[i]->start;
            py_fail(&p->lexer, p->stack[i]->start, "too deeply nested");
        }
    }
}

/* Keeps the errors in the order of the text: what a line of a broken f-string is found guilty of may stand
 * before what was found first. */
static void add_error(struct py_parser *p, uint32_t offset, const char *message) {
    if (p->error_count == PY_ERRORS_MAX)
        return;
    if (p->errors == NULL)
        p->errors = ARENA_ARRAY(p->arena, struct py_error, PY_ERRORS_MAX);
    bool is_last = p->error_count == PY_ERRORS_MAX - 1;
    uint32_t line = py_source_line(&p->source, offset), at = p->error_count++;
    for (; at > 0 && !is_last && p->errors[at - 1].offset > offset; at--)
        p->errors[at] = p->errors[at - 1];
    p->errors[at] = (struct py_error){
        .offset = offset,
        .pos = {line, offset - p->source.line_starts[line - 1] + 1},
        .message = is_last ? "too many errors, the rest of the file is not read" : message,
    };
}

/* Records the error and finds a place to go on. */
static void recover(struct py_parser *p, uint32_t first_line, uint32_t indent_count) {
    struct py_lexer *lexer = &p->lexer;
    add_error(p, lexer->error_offset, lexer->error);
    uint32_t from = p->in_fstring ? p->string_start : lexer->tok.start;
    if (p->error_count == PY_ERRORS_MAX) {
        from = lexer->len;
        indent_count = 1;
    }
    p->in_fstring = false;
    py_lexer_recover(lexer, from, first_line, indent_count);
    py_next(lexer);
}

/* One statement, or a line of them, pushed; an error is recorded and leaves nothing. */
static void statement(struct py_parser *p) {
    struct py_lexer *lexer = &p->lexer;
    uint32_t mark = p->stack_count, indent_count = lexer->indent_count,
             first_line = lexer->tok.line;
    uint32_t chain = p->chain, depth = p->depth;
    p->chain = 0;
    p->commit_end = UINT32_MAX;
    if (py_tok(p) == TOK_INDENT) {
        indent_count--;
        py_fail(lexer, lexer->tok.start, "unexpected indent");
    } else if (!lexer->has_failed) {
        struct py_node *node = py_compound_stmt(p);
        if (node != NULL)
            py_push(p, node);
        else
            py_simple_stmts(p);
        bool is_complete = !lexer->has_failed || p->commit_end == lexer->prev_end;
        if (is_complete)
            check_height(p, mark);
        is_complete = !lexer->has_failed || p->commit_end == lexer->prev_end;
        p->chain = chain;
        p->depth = depth;
        if (is_complete)
            return;
        p->stack_count = mark;
    }
    recover(p, first_line, indent_count);
}

static struct py_list statements(struct py_parser *p) {
    uint32_t mark = p->stack_count;
    while (py_tok(p) != TOK_DEDENT && py_tok(p) != TOK_END)
        statement(p);
    return py_pop_list(p, mark);
}

struct py_list py_block(struct py_parser *p, const char *what, uint32_t line) {
    struct py_list body = {0};
    if (py_tok(p) != TOK_NEWLINE) {
        uint32_t mark = p->stack_count;
        py_simple_stmts(p);
        return py_pop_list(p, mark);
    }
    py_next(&p->lexer);
    if (py_tok(p) != TOK_INDENT) {
        py_fail(&p->lexer, p->lexer.tok.start, "expected an indented block after %s on line %u",
                what, (unsigned)line);
        return body;
    }
    py_next(&p->lexer);
    if (py_enter(p))
        body = statements(p);
    py_leave(p);
    if (p->lexer.has_failed)
        return body;
    p->commit_end = p->lexer.prev_end;
    py_accept(p, TOK_DEDENT);
    return body;
}

struct py_module *py_parse(struct arena *arena, struct str text) {
    struct py_parser parser = {.arena = arena}, *p = &parser;
    struct py_error error = {0};
    struct py_module *module = ARENA_NEW(arena, struct py_module);
    struct py_list body = {0};
    bool is_readable = py_source_init(&p->source, arena, text, &error);
    if (!is_readable) {
        /* Nothing can be read; a place in the text as it was given is all there is to say. */
        p->errors = ARENA_NEW(arena, struct py_error);
        p->errors[0] = error;
        p->errors[0].pos = pos_of_offset(p->source.text, error.offset);
        p->error_count = 1;
        p->source.text = STR("");
        p->source.start = 0;
        p->source.line_count = 1;
        p->source.line_starts = ARENA_ARRAY(arena, uint32_t, 2);
        p->source.line_starts[1] = UINT32_MAX;
    }
    py_lexer_init(&p->lexer, &p->source, arena);
    py_next(&p->lexer);
    while (py_tok(p) != TOK_END) {
        statement(p);
        if (py_tok(p) == TOK_DEDENT)
            py_next(&p->lexer);
    }
    body = py_pop_list(p, 0);
    module->text = p->source.text;
    module->root = PY_NEW(p, ((struct py_mark){0, 1}), Module);
    module->root->end = (uint32_t)p->source.text.len;
    module->root->Module.body = body;
    module->errors = p->errors;
    module->error_count = p->error_count;
    module->line_count = p->source.line_count;
    module->line_starts = p->source.line_starts;
    module->comments = p->lexer.comments.items;
    module->comment_count = (uint32_t)p->lexer.comments.count;
    module->joined = p->lexer.joined.items;
    module->joined_count = (uint32_t)p->lexer.joined.count;
    free(p->stack);
    /* What is left of the last block goes back, if nothing else was taken since. */
    if (arena->next == p->end && p->next != NULL)
        arena->next = p->end - ((size_t)(p->end - p->next) & ~(size_t)15);
    return module;
}
