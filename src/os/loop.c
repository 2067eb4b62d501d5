#include "os/loop.h"

#include "base/time.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EVENTS_A_ROUND = 64, NEVER = -1 };

enum kind { FD, TIMER, SIGNAL };

struct mln_loop_source {
    struct mln_loop *loop;
    struct mln_loop_source *next, *previous;
    enum kind kind;
    bool dead;      /* removed; freed at the end of the round */
    bool anonymous; /* nobody holds it: a timer that has fired for the last time goes by itself */
    int fd;         /* FD; the signal's number for SIGNAL */
    int64_t due_ms, every_ms;
    union {
        void (*ready)(void *context, int fd, unsigned events);
        void (*fire)(void *context);
        void (*arrived)(void *context, int signal_number);
    } call;
    void *context;
};

struct callback {
    void (*call)(void *context);
    void *context;
};

struct mln_loop {
    int epoll, event, signals;
    sigset_t mask;
    struct mln_loop_source *first;
    struct callback woken, before_sleep;
    atomic_bool wake, stop;
};

static void take_wake(void *context, int fd, unsigned events)
{
    (void)events;
    struct mln_loop *loop = context;
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof count); /* only to make the descriptor quiet again */
    (void)n;
    if (atomic_exchange(&loop->wake, false) && loop->woken.call)
        loop->woken.call(loop->woken.context);
}

static void take_signals(void *context, int fd, unsigned events)
{
    (void)events;
    struct mln_loop *loop = context;
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == sizeof info) {
        for (struct mln_loop_source *source = loop->first; source; source = source->next) {
            if (source->kind != SIGNAL || source->dead || source->fd != (int)info.ssi_signo)
                continue;
            source->call.arrived(source->context, source->fd);
            break; /* one source a signal */
        }
    }
}

static struct mln_result new_source(struct mln_loop *loop, enum kind kind, void *context, struct mln_loop_source **keep,
                                    struct mln_loop_source **out)
{
    struct mln_loop_source *source = calloc(1, sizeof *source);
    if (!source)
        return mln_fail(MLN_E_MEMORY, "no memory for an event source");
    *source = (struct mln_loop_source){.loop = loop,
                                       .next = loop->first,
                                       .kind = kind,
                                       .anonymous = !keep,
                                       .fd = -1,
                                       .due_ms = NEVER,
                                       .context = context};
    if (loop->first)
        loop->first->previous = source;
    loop->first = source;
    if (keep)
        *keep = source;
    *out = source;
    return MLN_OK;
}

static void free_source(struct mln_loop_source *source)
{
    if (source->previous)
        source->previous->next = source->next;
    else
        source->loop->first = source->next;
    if (source->next)
        source->next->previous = source->previous;
    free(source);
}

static void bury_the_dead(struct mln_loop *loop)
{
    for (struct mln_loop_source *source = loop->first, *next; source; source = next) {
        next = source->next;
        if (source->dead)
            free_source(source);
    }
}

struct mln_result mln_loop_new(struct mln_loop **out)
{
    *out = NULL;
    MLN_CLEANUP(mln_loop_free) struct mln_loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return mln_fail(MLN_E_MEMORY, "no memory for an event loop");
    loop->event = loop->signals = -1;
    sigemptyset(&loop->mask);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0)
        return mln_fail_errno(errno, "making an event loop");
    loop->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->signals = signalfd(-1, &loop->mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (loop->event < 0 || loop->signals < 0)
        return mln_fail_errno(errno, "making an event loop");
    MLN_TRY(mln_loop_add_fd(loop, loop->event, MLN_LOOP_READ, take_wake, loop, NULL));
    MLN_TRY(mln_loop_add_fd(loop, loop->signals, MLN_LOOP_READ, take_signals, loop, NULL));
    *out = MLN_TAKE(loop);
    return MLN_OK;
}

void mln_loop_free(struct mln_loop *loop)
{
    if (!loop)
        return;
    while (loop->first)
        free_source(loop->first);
    const int fds[] = {loop->epoll, loop->event, loop->signals};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(loop);
}

static int control(const struct mln_loop_source *source, int operation, unsigned events)
{
    struct epoll_event event = {
        .events = (events & MLN_LOOP_READ ? EPOLLIN : 0u) | (events & MLN_LOOP_WRITE ? EPOLLOUT : 0u),
        .data.ptr = (void *)(uintptr_t)source,
    };
    return epoll_ctl(source->loop->epoll, operation, source->fd, &event);
}

struct mln_result mln_loop_add_fd(struct mln_loop *loop, int fd, unsigned events,
                                  void (*ready)(void *context, int fd, unsigned events), void *context,
                                  struct mln_loop_source **out)
{
    struct mln_loop_source *source = NULL;
    if (out)
        *out = NULL;
    MLN_TRY(new_source(loop, FD, context, out, &source));
    source->fd = fd;
    source->call.ready = ready;
    if (control(source, EPOLL_CTL_ADD, events)) {
        int error = errno;
        free_source(source);
        if (out)
            *out = NULL;
        return mln_fail_errno(error, "watching descriptor %d", fd);
    }
    return MLN_OK;
}

struct mln_result mln_loop_change_fd(struct mln_loop_source *source, unsigned events)
{
    if (control(source, EPOLL_CTL_MOD, events))
        return mln_fail_errno(errno, "watching descriptor %d", source->fd);
    return MLN_OK;
}

void mln_loop_set_timer(struct mln_loop_source *timer, int64_t after_ms, int64_t every_ms)
{
    timer->due_ms = after_ms < 0 ? NEVER : mln_monotonic_ms() + after_ms;
    timer->every_ms = every_ms;
}

struct mln_result mln_loop_add_timer(struct mln_loop *loop, int64_t after_ms, int64_t every_ms,
                                     void (*fire)(void *context), void *context, struct mln_loop_source **out)
{
    struct mln_loop_source *source = NULL;
    MLN_TRY(new_source(loop, TIMER, context, out, &source));
    source->call.fire = fire;
    mln_loop_set_timer(source, after_ms, every_ms);
    return MLN_OK;
}

struct mln_result mln_loop_add_signal(struct mln_loop *loop, int signal_number,
                                      void (*arrived)(void *context, int signal_number), void *context,
                                      struct mln_loop_source **out)
{
    sigset_t mask = loop->mask;
    if (out)
        *out = NULL;
    if (sigismember(&mask, signal_number) == 1)
        return mln_fail(MLN_E_CONFLICT, "signal %d has a source already", signal_number);
    if (sigaddset(&mask, signal_number))
        return mln_fail(MLN_E_INVALID, "%d is not a signal", signal_number);
    struct mln_loop_source *source = NULL;
    MLN_TRY(new_source(loop, SIGNAL, context, out, &source));
    if (pthread_sigmask(SIG_BLOCK, &mask, NULL) || signalfd(loop->signals, &mask, 0) < 0) {
        int error = errno;
        free_source(source);
        if (out)
            *out = NULL;
        return mln_fail_errno(error, "waiting for signal %d", signal_number);
    }
    source->fd = signal_number;
    source->call.arrived = arrived;
    loop->mask = mask;
    return MLN_OK;
}

void mln_loop_remove(struct mln_loop_source *source)
{
    if (!source || source->dead)
        return;
    source->dead = true;
    if (source->kind == FD)
        epoll_ctl(source->loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
    if (source->kind == SIGNAL) {
        sigdelset(&source->loop->mask, source->fd); /* it stays blocked: its default could be the end of the process */
        signalfd(source->loop->signals, &source->loop->mask, 0);
    }
}

void mln_loop_on_wake(struct mln_loop *loop, void (*woken)(void *context), void *context)
{
    loop->woken = (struct callback){woken, context};
}

void mln_loop_before_sleep(struct mln_loop *loop, void (*before)(void *context), void *context)
{
    loop->before_sleep = (struct callback){before, context};
}

static void ring(struct mln_loop *loop)
{
    uint64_t one = 1;
    ssize_t n = write(loop->event, &one, sizeof one); /* full means that it rings already */
    (void)n;
}

void mln_loop_wake(struct mln_loop *loop)
{
    if (!atomic_exchange(&loop->wake, true))
        ring(loop);
}

void mln_loop_stop(struct mln_loop *loop)
{
    atomic_store(&loop->stop, true);
    ring(loop);
}

/* How long to sleep, at most max_ms (negative: no bound), until the next timer is due. */
static int sleep_ms(const struct mln_loop *loop, int64_t max_ms)
{
    int64_t most = max_ms, now = mln_monotonic_ms();
    for (const struct mln_loop_source *source = loop->first; source; source = source->next) {
        if (source->kind != TIMER || source->dead || source->due_ms == NEVER)
            continue;
        int64_t left = source->due_ms > now ? source->due_ms - now : 0;
        if (most < 0 || left < most)
            most = left;
    }
    return most > INT_MAX ? INT_MAX : (int)most;
}

static void fire_timers(struct mln_loop *loop)
{
    int64_t now = mln_monotonic_ms();
    for (struct mln_loop_source *source = loop->first; source; source = source->next) {
        if (source->kind != TIMER || source->dead || source->due_ms == NEVER || source->due_ms > now)
            continue;
        bool again = source->every_ms > 0;
        source->due_ms = again ? now + source->every_ms : NEVER;
        source->dead = !again && source->anonymous;
        source->call.fire(source->context);
    }
}

static unsigned events_of(uint32_t epoll_events)
{
    return (epoll_events & EPOLLIN ? MLN_LOOP_READ : 0u) | (epoll_events & EPOLLOUT ? MLN_LOOP_WRITE : 0u) |
           (epoll_events & (EPOLLHUP | EPOLLERR) ? MLN_LOOP_HANGUP : 0u);
}

struct mln_result mln_loop_once(struct mln_loop *loop, int64_t max_ms)
{
    struct epoll_event events[EVENTS_A_ROUND];
    if (loop->before_sleep.call)
        loop->before_sleep.call(loop->before_sleep.context);
    int n = epoll_wait(loop->epoll, events, EVENTS_A_ROUND, sleep_ms(loop, max_ms));
    if (n < 0 && errno != EINTR)
        return mln_fail_errno(errno, "waiting for events");
    for (int i = 0; i < n; i++) {
        const struct mln_loop_source *source = events[i].data.ptr;
        if (!source->dead)
            source->call.ready(source->context, source->fd, events_of(events[i].events));
    }
    fire_timers(loop);
    bury_the_dead(loop);
    return MLN_OK;
}

struct mln_result mln_loop_run(struct mln_loop *loop)
{
    while (!atomic_load(&loop->stop))
        MLN_TRY(mln_loop_once(loop, NEVER));
    atomic_store(&loop->stop, false);
    return MLN_OK;
}
