/*
 * Telling the service manager (the sd_notify protocol, without libsystemd): one datagram of NAME=value lines to the
 * socket that NOTIFY_SOCKET names. Where that is not set, nothing happens and all is well.
 */
#ifndef MLN_OS_NOTIFY_H
#define MLN_OS_NOTIFY_H

#include "base/str.h"

/* For example MLN_S("READY=1"), MLN_S("STOPPING=1"), MLN_S("WATCHDOG=1"), MLN_S("STATUS=..."). */
MLN_RESULT mln_notify(struct mln_str state);

/* How often to send WATCHDOG=1: half of what the manager allows (WATCHDOG_USEC); 0 when it does not watch this process. */
int64_t mln_notify_watchdog_ms(void);

#endif
