/* A process that puts resources is killed in the middle: what it acknowledged is there, nothing is half there. */
#include "check.h"

#include "estate.h"

#include <signal.h>
#include <sys/wait.h>

enum { ROUNDS = 4, THREADS = 3, BOXES = 5, ACKNOWLEDGED_A_ROUND = 150 };

static struct estate estate;
static int acknowledge; /* the pipe to the parent */

struct note {
    int thread, number, count; /* the count-th put of this box was acknowledged */
};

static void box_id(int thread, int number, char id[256])
{
    snprintf(id, 256, BOX("t%d-%d"), thread, number);
}

static void *put_for_ever(void *context)
{
    struct note note = {.thread = (int)(intptr_t)context};
    struct mln_arena *arena = mln_arena_new(1 << 20);
    for (note.count = 1;; note.count++) {
        for (note.number = 0; note.number < BOXES; note.number++) {
            char id[256], word[16];
            mln_arena_reset(arena);
            box_id(note.thread, note.number, id);
            snprintf(word, sizeof word, "%d", note.count);
            const struct mln_json *document =
                box(arena, id, WORDS(note.count % 3 ? "ok" : "bad", note.count % 2 ? "ok" : "off", word, NULL));
            if (!mln_ok(mln_posture_put(estate.posture, document, MLN_POSTURE_ANY, MLN_S("t"), NULL, NULL)) ||
                write(acknowledge, &note, sizeof note) != sizeof note)
                _exit(1);
        }
    }
    return NULL;
}

static void child(void)
{
    pthread_t threads[THREADS];
    place_open(&estate.place);
    estate_open(&estate);
    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, put_for_ever, (void *)i);
    pause();
}

/* Runs a child until enough was acknowledged, kills it, and keeps what was acknowledged last of each box. */
static void live_and_die(int last[THREADS][BOXES])
{
    int ends[2];
    struct note note;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        acknowledge = ends[1];
        child();
        _exit(0);
    }
    close(ends[1]);
    memset(last, 0, sizeof(int[THREADS][BOXES]));
    for (int i = 0; i < ACKNOWLEDGED_A_ROUND; i++) {
        assert_int_equal(read(ends[0], &note, sizeof note), sizeof note);
        last[note.thread][note.number] = note.count;
    }
    kill(pid, SIGKILL);
    while (read(ends[0], &note, sizeof note) == (ssize_t)sizeof note)
        last[note.thread][note.number] = note.count;
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    close(ends[0]);
}

static void assert_acknowledged_is_there(int last[THREADS][BOXES])
{
    struct mln_store_read *read MLN_CLEANUP(mln_store_read_end) = place_read(&estate.place);
    for (int t = 0; t < THREADS; t++)
        for (int n = 0; n < BOXES; n++) {
            char id[256];
            struct mln_resource found;
            int64_t count = 0;
            box_id(t, n, id);
            if (!last[t][n])
                continue;
            assert_ok(mln_resource_get(read, mln_str_c(id), estate.arena, &found));
            assert_ok(mln_str_to_i64(mln_json_str(mln_json_path(found.document, "properties.c"), MLN_S("")), &count));
            /* One more may have become durable without anybody hearing of it. */
            assert_true(count == last[t][n] || count == last[t][n] + 1);
        }
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
    (void)state;
    int last[THREADS][BOXES];
    estate_prepare(&estate);
    mln_store_close(MLN_TAKE(estate.place.store));
    for (int round = 0; round < ROUNDS; round++) {
        live_and_die(last);
        place_open(&estate.place);
        estate_open(&estate);
        assert_acknowledged_is_there(last);
        assert_memory_is_the_store(&estate);
        assert_changes_add_up(&estate, NULL);
        mln_posture_close(MLN_TAKE(estate.posture));
        mln_store_close(MLN_TAKE(estate.place.store));
    }
    place_open(&estate.place);
    estate_remove(&estate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
