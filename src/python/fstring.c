/* String literals, adjacent ones joined: plain ones become a Constant that keeps its text; if there is an
 * f-string (or t-string) among them, a JoinedStr (TemplateStr) of literal pieces and fields. The
 * lexer gives tokens only within a field's braces; the literal text between fields is read here. */
#include "python/parser.h"
#include "python/value.h"

#include "base/assert.h"
#include "base/buf.h"

/* Literal text on its way to become a Constant: pieces that follow each other are one. */
struct pieces {
    struct py_mark at;
    uint32_t end;
    bool has_any, is_exact, is_copied, is_unicode_first;
    struct str value;
    struct buf joined; /* the value, if it had to be put together */
};

static void add_piece(struct pieces *pieces, struct py_mark at, uint32_t end, struct str value) {
    pieces->end = end;
    if (!pieces->has_any) {
        pieces->at = at;
        pieces->has_any = true;
        pieces->value = value;
        return;
    }
    if (value.len == 0)
        return;
    if (pieces->value.len == 0) {
        pieces->value = value;
        return;
    }
    if (!pieces->is_copied) {
        buf_clear(&pieces->joined);
        buf_add(&pieces->joined, pieces->value);
        pieces->is_copied = true;
    }
    buf_add(&pieces->joined, value);
    pieces->value = buf_str(&pieces->joined);
}

/* Pushes the pieces as a Constant; empty text leaves nothing. */
static void flush_pieces(struct py_parser *p, struct pieces *pieces) {
    if (pieces->has_any && pieces->value.len > 0) {
        struct py_node *node = PY_NEW(p, pieces->at, Constant);
        node->end = pieces->end;
        node->constant = PY_CONST_Str;
        node->form = (uint8_t)(PY_STRING_DECODED | (pieces->is_exact ? 0 : PY_STRING_INEXACT) |
                               (pieces->is_unicode_first ? PY_STRING_U : 0));
        node->Constant.text = pieces->is_copied ? str_dup(p->arena, pieces->value) : pieces->value;
        py_push(p, node);
    }
    pieces->has_any = pieces->is_copied = pieces->is_unicode_first = false;
    pieces->is_exact = true;
}

/* A string whose literal text is being read. */
struct literal {
    uint8_t flags;
    char quote;
    bool is_spec; /* the format of a field: ends at its '}' */
};

static bool at_quote(const struct py_parser *p, const struct literal *literal, uint32_t pos) {
    const char *text = p->lexer.text + pos;
    if (text[0] != literal->quote)
        return false;
    return (literal->flags & PY_TOK_TRIPLE) == 0 ||
           (text[1] == literal->quote && text[2] == literal->quote);
}

/* Behind the literal text that begins at `pos`: at a brace, the closing quote, or where it breaks off. */
static uint32_t scan_text(const struct py_parser *p, const struct literal *literal, uint32_t pos) {
    const char *text = p->lexer.text;
    bool is_triple = (literal->flags & PY_TOK_TRIPLE) != 0;
    for (; pos < p->lexer.len; pos++) {
        char c = text[pos];
        if (c == '{' || c == '}' || (c == literal->quote && at_quote(p, literal, pos)))
            break;
        if (!is_triple && (c == '\n' || c == '\r'))
            break;
        if (c != '\\')
            continue;
        char next = text[pos + 1];
        if (next == '{' || next == '}')
            continue;
        if ((literal->flags & PY_TOK_RAW) == 0 && next == 'N' && text[pos + 2] == '{') {
            while (pos < p->lexer.len && text[pos] != '}' && text[pos] != literal->quote)
                pos++;
            if (text[pos] != '}')
                break;
            continue;
        }
        pos += next == '\r' && text[pos + 2] == '\n' ? 2 : 1;
    }
    return pos < p->lexer.len ? pos : p->lexer.len;
}

/* Source text from `start` to `end` as a piece. */
static void add_text(struct py_parser *p, const struct literal *literal, struct pieces *pieces,
                     uint32_t start, uint32_t end, uint32_t span_end) {
    bool is_raw = (literal->flags & PY_TOK_RAW) != 0;
    struct py_mark at = {start, p->lexer.line};
    if (!is_raw && !py_check_escapes(p, start, end, false))
        return;
    struct str text = {p->lexer.text + start, end - start};
    add_piece(pieces, at, span_end, py_decode(p->arena, text, is_raw, false, &pieces->is_exact));
}

static void field(struct py_parser *p, const struct literal *literal, struct pieces *pieces);

/* Literal text and fields from pos to the closing quote or, in a format, to the '}'; pos is then there. */
static void read_text(struct py_parser *p, const struct literal *literal, struct pieces *pieces) {
    struct py_lexer *lexer = &p->lexer;
    while (!lexer->has_failed) {
        uint32_t start = lexer->pos, end = scan_text(p, literal, start);
        char c = lexer->text[end];
        bool is_brace = end < lexer->len && (c == '{' || c == '}');
        bool is_doubled = is_brace && !literal->is_spec && lexer->text[end + 1] == c;
        if (end > start || is_doubled)
            add_text(p, literal, pieces, start, end + is_doubled, end + (is_doubled ? 2 : 0));
        if (lexer->has_failed)
            return;
        py_lexer_seek(lexer, end + (is_doubled ? 2 : 0));
        if (is_doubled)
            continue;
        if (!is_brace) {
            if (end < lexer->len && at_quote(p, literal, end) && !literal->is_spec)
                return;
            py_fail(lexer, literal->is_spec ? end : lexer->tok.start,
                    literal->is_spec ? "f-string: expecting '}'" : "unterminated f-string literal");
        } else if (c == '{') {
            field(p, literal, pieces);
        } else if (literal->is_spec) {
            return;
        } else {
            py_fail(lexer, end, "f-string: single '}' is not allowed");
        }
    }
}

/* The format behind the colon that is the current token. The current token is then the '}'. */
static struct py_node *format_spec(struct py_parser *p, const struct literal *outer) {
    struct py_mark at = py_here(p);
    struct literal literal = {outer->flags, outer->quote, true};
    struct pieces pieces = {.is_exact = true};
    uint32_t mark = p->stack_count;
    LW_ASSERT(p->lexer.pos == p->lexer.tok.end);
    read_text(p, &literal, &pieces);
    flush_pieces(p, &pieces);
    buf_release(&pieces.joined);
    struct py_list values = py_pop_list(p, mark);
    py_next(&p->lexer);
    struct py_node *node = PY_NEW(p, at, JoinedStr);
    node->end = p->lexer.tok.start;
    node->JoinedStr.values = values;
    return node;
}

/* What stands in a field before its format. */
struct field_head {
    struct py_node *value;
    struct str text;   /* of the expression, in a t-string */
    uint32_t text_end; /* of what {x=} prints */
    bool is_debug;
    uint8_t conversion;
};

static void conversion(struct py_parser *p, struct field_head *head) {
    uint32_t bang_end = p->lexer.tok.end;
    py_next(&p->lexer);
    struct str name = py_tok_str(p);
    bool is_known = py_tok(p) == TOK_NAME && name.len == 1 && strchr("sra", name.ptr[0]) != NULL &&
                    p->lexer.tok.start == bang_end;
    if (!is_known) {
        py_fail(&p->lexer, bang_end,
                "f-string: invalid conversion character: expected 's', 'r', or 'a'");
        return;
    }
    head->conversion = (uint8_t)name.ptr[0];
    py_next(&p->lexer);
}

/* Source text as {x=} shows it: without comments, line ends as \n. */
static struct str shown_text(struct py_parser *p, uint32_t start, uint32_t end) {
    const char *source = p->lexer.text;
    struct str text = {source + start, end - start};
    bool is_exact;
    if (memchr(text.ptr, '#', text.len) != NULL) {
        char *kept = arena_alloc(p->arena, text.len), quote = 0;
        size_t len = 0;
        for (uint32_t at = start; at < end; at++) {
            char c = source[at];
            if (quote == 0 && c == '#') {
                while (at + 1 < end && source[at + 1] != '\n' && source[at + 1] != '\r')
                    at++;
                continue;
            }
            if (c == '"' || c == '\'')
                quote = quote == 0 ? c : quote == c ? 0 : quote;
            kept[len++] = c;
        }
        text = (struct str){kept, len};
    }
    return py_decode(p->arena, text, true, false, &is_exact);
}

static void read_head(struct py_parser *p, uint32_t start, bool is_template,
                      struct field_head *head) {
    enum py_token_type type = py_tok(p);
    if (type == TOK_RBRACE || type == TOK_EXCLAIM || type == TOK_COLON || type == TOK_EQUAL)
        py_fail(&p->lexer, p->lexer.tok.start, "f-string: valid expression required before %s",
                py_token_text(type));
    head->value = py_yield_or_star_exprs(p);
    uint32_t end = p->lexer.tok.start;
    if (py_accept(p, TOK_EQUAL))
        head->is_debug = true;
    head->text_end = p->lexer.tok.start;
    if (is_template && !p->lexer.has_failed) {
        while (end > start && strchr(" \t\f\r\n", p->lexer.text[end - 1]) != NULL)
            end--;
        head->text = shown_text(p, start, end);
    }
    if (py_tok(p) == TOK_EXCLAIM)
        conversion(p, head);
}

/* A field whose '{' stands at pos; pos is then behind its '}'. Pushes a FormattedValue or Interpolation. */
static void field(struct py_parser *p, const struct literal *literal, struct pieces *pieces) {
    struct py_lexer *lexer = &p->lexer;
    struct py_mark at = {lexer->pos, lexer->line};
    struct field_head head = {0};
    struct py_node *spec = NULL;
    bool is_template = (literal->flags & PY_TOK_TEMPLATE) != 0 && !literal->is_spec;
    uint32_t outer_field = lexer->field_depth, outer_tok_start = lexer->tok.start;
    if (py_enter(p) && py_open_field(lexer, at.start)) {
        lexer->pos++;
        py_next(lexer);
        read_head(p, at.start + 1, is_template, &head);
        if (head.is_debug && !lexer->has_failed)
            add_piece(pieces, (struct py_mark){at.start + 1, at.line}, head.text_end,
                      shown_text(p, at.start + 1, head.text_end));
        flush_pieces(p, pieces);
        if (py_tok(p) == TOK_COLON)
            spec = format_spec(p, literal);
        if (py_tok(p) != TOK_RBRACE)
            py_expected(p, "'}'");
    }
    py_leave(p);
    lexer->field_depth = outer_field;
    if (lexer->has_failed)
        return;
    if (head.is_debug && head.conversion == 0 && spec == NULL)
        head.conversion = 'r';
    struct py_node *node =
        is_template ? PY_NEW(p, at, Interpolation) : PY_NEW(p, at, FormattedValue);
    node->end = lexer->tok.end;
    node->conversion = head.conversion;
    if (is_template)
        node->Interpolation = (struct py_Interpolation){head.value, head.text, spec};
    else
        node->FormattedValue = (struct py_FormattedValue){head.value, spec};
    py_push(p, node);
    lexer->tok.start = outer_tok_start;
}

/* The f-string that is the current token. */
static void fstring(struct py_parser *p, struct pieces *pieces) {
    struct py_lexer *lexer = &p->lexer;
    struct py_token tok = lexer->tok;
    struct literal literal = {tok.flags, lexer->text[tok.start + tok.prefix_len], false};
    bool was_inside = p->in_fstring;
    if (!was_inside)
        p->string_start = tok.start;
    p->in_fstring = true;
    read_text(p, &literal, pieces);
    if (lexer->has_failed)
        return;
    p->in_fstring = was_inside;
    lexer->pos += (tok.flags & PY_TOK_TRIPLE) != 0 ? 3 : 1;
    lexer->tok = tok;
    lexer->tok.end = lexer->pos;
    py_next(lexer);
}

/* What sorts of literals have been joined. */
struct string_sorts {
    bool has_bytes, has_text, has_template, has_format, is_unicode_first;
};

static void check_literal(struct py_parser *p, struct string_sorts *sorts) {
    const struct py_token *tok = &p->lexer.tok;
    bool is_bytes = (tok->flags & PY_TOK_BYTES) != 0;
    bool is_template = tok->type == TOK_FSTRING && (tok->flags & PY_TOK_TEMPLATE) != 0;
    *(is_bytes ? &sorts->has_bytes : is_template ? &sorts->has_template : &sorts->has_text) = true;
    sorts->has_format |= tok->type == TOK_FSTRING;
    if (sorts->has_bytes && (sorts->has_text || sorts->has_template))
        py_fail(&p->lexer, tok->start, "cannot mix bytes and nonbytes literals");
    else if (sorts->has_template && sorts->has_text)
        py_fail(&p->lexer, tok->start, "cannot mix t-string literals with string literals");
    if (tok->type != TOK_STRING)
        return;
    if ((tok->flags & (PY_TOK_BACKSLASH | PY_TOK_RAW)) == PY_TOK_BACKSLASH)
        py_check_escapes(p, tok->start + tok->prefix_len, tok->end, is_bytes);
    for (uint32_t i = tok->start; is_bytes && i < tok->end; i++)
        if ((unsigned char)p->lexer.text[i] >= 0x80)
            py_fail(&p->lexer, i, "bytes can only contain ASCII literal characters");
}

/* A plain literal among f-strings: decoded at once. */
static void add_plain(struct py_parser *p, struct pieces *pieces) {
    const struct py_token *tok = &p->lexer.tok;
    struct py_node *node = PY_NEW(p, py_here(p), Constant);
    /* Bytes have no place here, but that is found out only at the f-string. */
    node->constant = (tok->flags & PY_TOK_BYTES) != 0 ? PY_CONST_Bytes : PY_CONST_Str;
    node->Constant.text = py_tok_str(p);
    if (!pieces->has_any)
        pieces->is_unicode_first = (tok->flags & PY_TOK_UNICODE) != 0;
    struct str value;
    if (!py_string_value(p->arena, node, &value))
        pieces->is_exact = false;
    add_piece(pieces, py_here(p), tok->end, value);
}

/* Reads the literals again, from the first, now that there is known to be an f-string among them. */
static struct py_node *joined(struct py_parser *p, struct py_mark at) {
    struct string_sorts sorts = {0};
    struct pieces pieces = {.is_exact = true};
    uint32_t mark = p->stack_count;
    while (py_tok(p) == TOK_STRING || py_tok(p) == TOK_FSTRING) {
        check_literal(p, &sorts);
        if (py_tok(p) == TOK_STRING) {
            add_plain(p, &pieces);
            py_next(&p->lexer);
        } else if (py_tok(p) == TOK_FSTRING) {
            fstring(p, &pieces);
        }
    }
    flush_pieces(p, &pieces);
    buf_release(&pieces.joined);
    struct py_list values = py_pop_list(p, mark);
    struct py_node *node =
        sorts.has_template ? PY_NEW(p, at, TemplateStr) : PY_NEW(p, at, JoinedStr);
    *(sorts.has_template ? &node->TemplateStr.values : &node->JoinedStr.values) = values;
    return node;
}

struct py_node *py_strings(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_token first = p->lexer.tok;
    struct string_sorts sorts = {0};
    while (py_tok(p) == TOK_STRING) {
        check_literal(p, &sorts);
        py_next(&p->lexer);
    }
    if (py_tok(p) == TOK_FSTRING) {
        if (p->lexer.tok.start != first.start) {
            /* Back to the first literal. Only literals and comments lie between, so no other state has changed. */
            py_forget_comments(&p->lexer, first.end);
            p->lexer.tok = first;
            p->lexer.pos = first.end;
            p->lexer.line = py_source_line(&p->source, first.end);
        }
        return joined(p, at);
    }
    struct py_node *node = PY_NEW(p, at, Constant);
    node->constant = sorts.has_bytes ? PY_CONST_Bytes : PY_CONST_Str;
    node->form =
        (uint8_t)(PY_STRING_TOKENS | ((first.flags & PY_TOK_UNICODE) != 0 ? PY_STRING_U : 0));
    node->Constant.text = (struct str){p->lexer.text + at.start, node->end - at.start};
    return node;
}
