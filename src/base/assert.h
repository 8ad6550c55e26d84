/* Always-on assertions, for our own bugs only (STYLE, "Errors: three kinds"). Bytes that come from
 * outside are checked and answered with a `struct err`, never with an assertion.
 */
#ifndef LW_BASE_ASSERT_H
#define LW_BASE_ASSERT_H

/* Stops the program: prints the failed condition with its place to standard error and aborts. */
_Noreturn void lw_assert_fail(const char *condition, const char *file, int line);

#define LW_ASSERT(cond) ((cond) ? (void)0 : lw_assert_fail(#cond, __FILE__, __LINE__))
#define LW_UNREACHABLE() lw_assert_fail("unreachable", __FILE__, __LINE__)

#define LW_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
