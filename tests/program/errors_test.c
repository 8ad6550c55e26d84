/* The corpus of faults: every tests/program/errors/NAME.txn begins with `-- expect: line:column:
 * message`, and txn_parse must say exactly that. Where sql/ words the message, it ends with
 * `...`: the rest is not compared. */
#include "support.h"

#include "base/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const folder = "tests/program/errors";

static int is_case(const struct dirent *entry) {
    return str_ends(str_from_c(entry->d_name), ".txn");
}

static bool check_case(const char *name, bool prints) {
    struct fixture f;
    struct str text;
    struct err err;
    fixture_init(&f);
    struct str path = str_printf(&f.arena, "%s/%s", folder, name);
    assert_true(file_read(&f.arena, path.ptr, &text, &err));
    const char *said = fixture_fault(&f, text.ptr);
    struct str first = text_line(text, 1);
    assert_true(str_starts(first, "-- expect: "));
    struct str expected = str_sub(first, strlen("-- expect: "), first.len);
    bool ok = str_is(expected, said);
    if (str_ends(expected, "..."))
        ok = strncmp(expected.ptr, said, expected.len - 3) == 0;
    if (!ok)
        print_message("%s\n  expected %.*s\n  found    %s\n", name, STR_ARG(expected), said);
    if (prints)
        printf("%s\t%s\n", name, said);
    fixture_release(&f);
    return ok;
}

static void every_fault_is_told_where_it_is(void **state) {
    struct dirent **cases;
    int count = scandir(folder, &cases, is_case, alphasort), failed = 0;
    (void)state;
    assert_true(count > 90);
    for (int i = 0; i < count; i++) {
        failed += !check_case(cases[i]->d_name, getenv("PRINT_FAULTS") != NULL);
        free(cases[i]);
    }
    free(cases);
    assert_int_equal(failed, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_fault_is_told_where_it_is)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
