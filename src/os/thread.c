#include "os/thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

enum { NAME_BYTES = 16 };

struct mln_thread {
    pthread_t id;
    void (*run)(void *context);
    void *context;
    char name[NAME_BYTES];
};

static void *thread_main(void *argument)
{
    struct mln_thread *thread = argument;
    pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->context);
    return NULL;
}

struct mln_result mln_thread_start(const char *name, void (*run)(void *context), void *context, struct mln_thread **out)
{
    *out = NULL;
    struct mln_thread *thread = calloc(1, sizeof *thread);
    if (!thread)
        return mln_fail(MLN_E_MEMORY, "no memory for a thread");
    thread->run = run;
    thread->context = context;
    snprintf(thread->name, sizeof thread->name, "%s", name);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* inherited by the new thread */
    int error = pthread_create(&thread->id, NULL, thread_main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        free(thread);
        return mln_fail_errno(error, "starting the thread %s", name);
    }
    *out = thread;
    return MLN_OK;
}

void mln_thread_join(struct mln_thread *thread)
{
    if (!thread)
        return;
    pthread_join(thread->id, NULL);
    free(thread);
}

unsigned mln_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set)) /* fails on machines with more than 1024 */
        return (unsigned)CPU_SETSIZE;
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}
