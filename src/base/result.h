/*
 * The one result type of the house, and the closed list of error codes.
 *
 * A function that can fail returns MLN_RESULT, which the compiler insists on being looked at. The code says what kind
 * of failure it is and which HTTP status it becomes; the text says what went wrong, where, and belongs to the calling
 * thread until its next failure. Library rooms return errors and never log them. No secret may go into a text.
 */
#ifndef MLN_BASE_RESULT_H
#define MLN_BASE_RESULT_H

/* code, HTTP status, the code word an API answer carries, what it means */
#define MLN_CODES(C)                                                                                                   \
    C(OK, 200, "OK", "success")                                                                                        \
    C(MEMORY, 503, "ServiceUnavailable", "the machine has no memory left")                                             \
    C(LIMIT, 413, "RequestEntityTooLarge", "a stated limit or budget would be exceeded")                               \
    C(SYNTAX, 400, "InvalidRequestContent", "the text does not follow its grammar")                                    \
    C(INVALID, 400, "InvalidParameter", "well formed, but not an acceptable value")                                    \
    C(NOT_FOUND, 404, "ResourceNotFound", "no such thing")                                                             \
    C(CONFLICT, 409, "Conflict", "it exists already, or the state does not allow it")                                  \
    C(PRECONDITION, 412, "PreconditionFailed", "the caller's version is not the current one")                          \
    C(UNAUTHENTICATED, 401, "InvalidAuthenticationToken", "who is asking is not known")                                \
    C(FORBIDDEN, 403, "AuthorizationFailed", "who is asking may not do this")                                          \
    C(UNSUPPORTED, 400, "NotSupported", "understood, but this build cannot do it")                                     \
    C(TOO_MANY, 429, "TooManyRequests", "asked too often")                                                             \
    C(BUSY, 503, "ServerBusy", "a queue is full; later it may work")                                                   \
    C(TIMEOUT, 504, "GatewayTimeout", "the other side did not answer in time")                                         \
    C(IO, 500, "InternalServerError", "a file, socket or process failed")                                              \
    C(FULL, 507, "InsufficientStorage", "the disk is full")                                                            \
    C(CORRUPT, 500, "InternalServerError", "stored data does not check out")                                           \
    C(CLOSED, 503, "ServiceUnavailable", "shutting down")                                                              \
    C(INTERNAL, 500, "InternalServerError", "a promise inside the program was broken")

enum mln_code {
#define C(name, http, word, doc) MLN_E_##name,
    MLN_CODES(C)
#undef C
        MLN_E_COUNT
};

struct mln_result {
    enum mln_code code;
};

#define MLN_RESULT __attribute__((warn_unused_result)) struct mln_result
#define MLN_OK ((struct mln_result){MLN_E_OK})

/* Hand a failure on to the caller. */
#define MLN_TRY(expression)                                                                                            \
    do {                                                                                                               \
        struct mln_result mln_try_ = (expression);                                                                     \
        if (mln_try_.code != MLN_E_OK)                                                                                 \
            return mln_try_;                                                                                           \
    } while (0)

/* For a failure that changes nothing for the caller: says so where it is ignored. */
#define MLN_IGNORE(expression)                                                                                         \
    do {                                                                                                               \
        struct mln_result mln_ignored_ = (expression);                                                                 \
        (void)mln_ignored_;                                                                                            \
    } while (0)

static inline int mln_ok(struct mln_result r)
{
    return r.code == MLN_E_OK;
}

/* Makes a failure with a text (at most 511 bytes, cut beyond). Replaces the thread's current text. */
MLN_RESULT mln_fail(enum mln_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As mln_fail, for the errno of a failed system call: picks the code (ENOSPC and EDQUOT become FULL, ENOENT NOT_FOUND,
   ENOMEM MEMORY, EACCES and EPERM FORBIDDEN, else IO) and appends the system's text. */
MLN_RESULT mln_fail_errno(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the current text, for a caller that knows the place (file, line, field). */
MLN_RESULT mln_fail_at(struct mln_result r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text of this thread's last failure, "" if there was none. Valid until the next failure on this thread. */
const char *mln_error_text(void);

/* The parts of a code's line in MLN_CODES: its name ("NOT_FOUND"), HTTP status, API code word, meaning. */
const char *mln_code_name(enum mln_code code);
int mln_code_http(enum mln_code code);
const char *mln_code_word(enum mln_code code);
const char *mln_code_doc(enum mln_code code);

/* Runs a destructor that takes TYPE * when the variable leaves scope; NULL is never passed on. */
#define MLN_DEFINE_CLEANUP(type, destroy)                                                                              \
    static inline void destroy##_cleanup_(type **p)                                                                    \
    {                                                                                                                  \
        if (*p)                                                                                                        \
            destroy(*p);                                                                                               \
    }
#define MLN_CLEANUP(destroy) __attribute__((cleanup(destroy##_cleanup_)))

/* Takes the pointer out of a variable that has a cleanup, leaving NULL. */
#define MLN_TAKE(pointer)                                                                                              \
    ({                                                                                                                 \
        __typeof__(pointer) mln_taken_ = (pointer);                                                                    \
        (pointer) = NULL;                                                                                              \
        mln_taken_;                                                                                                    \
    })

#endif
