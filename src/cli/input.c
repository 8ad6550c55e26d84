#include "cli/input.h"

#include "engine/engine.h"

static const struct pos nowhere = {0, 0};

bool input_is_txn(struct str text) {
    return str_is(text, "-") || str_ends(text, ".txn");
}

/* Whether the text is a Python name, or several joined by dots. Bytes above ASCII are let through: whether
 * they are letters is for the search of the function to say. */
static bool is_dotted_name(struct str text) {
    bool at_start = true;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
        bool is_digit = c >= '0' && c <= '9';
        if (c == '.' && !at_start)
            at_start = true;
        else if (is_letter || (is_digit && !at_start))
            at_start = false;
        else
            return false;
    }
    return !at_start;
}

bool input_read(struct str text, struct input *input, struct err *err) {
    *input = (struct input){.path = text};
    if (input_is_txn(text))
        return true;
    size_t colon = text.len;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ':')
            colon = i;
    }
    input->path = str_sub(text, 0, colon);
    if (!str_ends(input->path, ".py"))
        return err_set(err, nowhere, "'%.*s' is neither FILE.txn nor PATH.py:FUNCTION",
                       STR_ARG(text));
    if (colon == text.len)
        return err_set(err, nowhere, "'%.*s': name the function, as in '%.*s:increment'",
                       STR_ARG(text), STR_ARG(text));
    input->function = str_sub(text, colon + 1, text.len);
    if (!is_dotted_name(input->function))
        return err_set(err, nowhere, "'%.*s' is no name of a function", STR_ARG(input->function));
    return true;
}

bool inputs_check(const struct input_list *inputs, struct err *err) {
    for (size_t i = 0; i < inputs->items.count; i++)
        if (inputs->items.items[i].function.len == 0 && inputs->items.count > 1)
            return err_set(err, nowhere, "'%.*s' is a whole scenario: it goes alone",
                           STR_ARG(inputs->items.items[i].path));
    if (inputs->items.count > DB_SESSIONS_MAX)
        return err_set(err, nowhere, "%u functions; at most %d run side by side",
                       inputs->items.count, DB_SESSIONS_MAX);
    return true;
}
