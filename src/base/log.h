/*
 * The log of a program, one line an entry on standard error: time, level, program, text; as JSON where asked. Only
 * programs and the rooms that run their threads log; library rooms return errors. Control bytes are escaped. A place
 * that logs more than 20 lines in 10 seconds is silenced until the 10 seconds are over, then says how many it kept back.
 */
#ifndef MLN_BASE_LOG_H
#define MLN_BASE_LOG_H

#include "base/result.h"

#include <stdbool.h>
#include <stdint.h>

enum mln_log_level { MLN_LOG_ERROR, MLN_LOG_WARNING, MLN_LOG_INFO, MLN_LOG_DEBUG };

struct mln_log_place {
    int64_t window_ms; /* start of the current ten seconds */
    uint32_t lines, kept_back;
};

/* Once, before threads start. */
void mln_log_setup(const char *program, enum mln_log_level most, bool json);

void mln_log_line(struct mln_log_place *place, enum mln_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define mln_log(level, ...)                                                                                            \
    do {                                                                                                               \
        static struct mln_log_place mln_place_;                                                                        \
        mln_log_line(&mln_place_, MLN_LOG_##level, __VA_ARGS__);                                                       \
    } while (0)

#endif
