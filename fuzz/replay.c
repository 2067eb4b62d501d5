/*
 * Runs a fuzz target on each file of a corpus, and on repeatable variations of it (flipped bits, cut tails, splices with
 * other files), one TAP line a file: how the parsers meet hostile input in every test run, without libFuzzer.
 *
 *     fuzz_NAME CORPUS-DIRECTORY               all of it
 *     fuzz_NAME CORPUS-DIRECTORY FILE NUMBER   one variation alone, as a failure names it (0: the file as it is)
 */
#include "base/buf.h"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

enum { LARGEST_INPUT_BYTES = 8 << 20, MOST_FILES = 65536, MOST_VARIATIONS = 256, BYTES_A_FILE = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static char *names[MOST_FILES];
static size_t name_count;
static char doing[512]; /* what a crash prints */

static void tell(void)
{
    ssize_t written = write(STDOUT_FILENO, doing, strlen(doing));
    (void)written; /* the process is dying */
}

static void on_signal(int signal_number)
{
    tell();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool list_files(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return false;
    for (struct dirent *entry; name_count < MOST_FILES && (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && (names[name_count] = strdup(entry->d_name)))
            name_count++;
    closedir(directory);
    qsort(names, name_count, sizeof names[0], by_name);
    return true;
}

static bool read_file(const char *directory, const char *name, struct mln_buf *out)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
        return false;
    FILE *file = fopen(path, "rb");
    bool good = file;
    while (good && !feof(file)) {
        char block[4096];
        size_t n = fread(block, 1, sizeof block, file);
        good = !ferror(file) && mln_ok(mln_buf_append(out, (struct mln_str){block, n}));
    }
    if (file)
        fclose(file);
    return good;
}

/* xorshift64*; each variation has a seed of its own, so that it can be run alone. */
static size_t chance(uint64_t *state, size_t below)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return below ? (size_t)((*state * UINT64_C(2685821657736338717)) >> 32) % below : 0;
}

static void flip_bits(struct mln_buf *input, uint64_t *seed)
{
    for (size_t flips = 1 + chance(seed, 8); flips > 0 && input->n > 0; flips--)
        input->p[chance(seed, input->n)] ^= (char)(1 << chance(seed, 8));
}

/* A byte that means something to most grammars, at some place. */
static void plant_byte(struct mln_buf *input, uint64_t *seed)
{
    static const char bytes[] = "\0\xff\x80\"\\'{}[]()<>:,;.-+0 9eE\n\r\t%&=*?/#\x7f\xc0\xed\xf4";
    if (input->n > 0)
        input->p[chance(seed, input->n)] = bytes[chance(seed, sizeof bytes - 1)];
}

static void cut_tail(struct mln_buf *input, uint64_t *seed)
{
    input->n = chance(seed, input->n + 1);
}

static void cut_middle(struct mln_buf *input, uint64_t *seed)
{
    size_t from = chance(seed, input->n + 1), length = chance(seed, input->n - from + 1);
    if (length > 0)
        memmove(input->p + from, input->p + from + length, input->n - from - length);
    input->n -= length;
}

static bool splice(struct mln_buf *input, const char *directory, uint64_t *seed)
{
    struct mln_buf other MLN_BUF_CLEANUP = MLN_BUF(LARGEST_INPUT_BYTES);
    if (!read_file(directory, names[chance(seed, name_count)], &other))
        return false;
    cut_tail(input, seed);
    return mln_ok(mln_buf_append(input, mln_str_sub(mln_buf_str(&other), chance(seed, other.n + 1), other.n)));
}

static bool vary(struct mln_buf *input, const char *directory, size_t number)
{
    uint64_t seed = UINT64_C(0x9E3779B97F4A7C15) * number;
    for (size_t rounds = 1 + chance(&seed, 3); rounds > 0; rounds--) {
        switch (chance(&seed, 5)) {
        case 0:
            flip_bits(input, &seed);
            break;
        case 1:
            plant_byte(input, &seed);
            break;
        case 2:
            cut_tail(input, &seed);
            break;
        case 3:
            cut_middle(input, &seed);
            break;
        default:
            if (!splice(input, directory, &seed))
                return false;
        }
    }
    return true;
}

static bool run_one(const char *directory, const char *name, struct mln_str content, size_t number)
{
    struct mln_buf input MLN_BUF_CLEANUP = MLN_BUF(2 * LARGEST_INPUT_BYTES);
    if (!mln_ok(mln_buf_append(&input, content)) || (number > 0 && !vary(&input, directory, number)))
        return false;
    snprintf(doing, sizeof doing, "# died in %s, variation %zu\n", name, number);
    /* An exact heap copy, so that reading one byte too far is seen by the sanitizer. */
    uint8_t *data = malloc(input.n ? input.n : 1);
    if (!data)
        return false;
    if (input.n)
        memcpy(data, input.p, input.n);
    LLVMFuzzerTestOneInput(data, input.n);
    free(data);
    return true;
}

/* The file and its variations: fewer of them the larger it is. */
static bool run_file(const char *directory, const char *name)
{
    struct mln_buf content MLN_BUF_CLEANUP = MLN_BUF(LARGEST_INPUT_BYTES);
    if (!read_file(directory, name, &content))
        return false;
    size_t variations = BYTES_A_FILE / (content.n + 1);
    if (variations > MOST_VARIATIONS)
        variations = MOST_VARIATIONS;
    for (size_t number = 0; number <= variations; number++)
        if (!run_one(directory, name, mln_buf_str(&content), number))
            return false;
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 4) {
        fprintf(stderr, "usage: %s CORPUS-DIRECTORY [FILE NUMBER]\n", argv[0]);
        return 2;
    }
    if (!list_files(argv[1])) {
        printf("Bail out! cannot open %s\n", argv[1]);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(tell);
    else
        for (size_t i = 0; i < 3; i++)
            signal((const int[]){SIGABRT, SIGSEGV, SIGFPE}[i], on_signal);
    if (argc == 4) {
        struct mln_buf content MLN_BUF_CLEANUP = MLN_BUF(LARGEST_INPUT_BYTES);
        uint64_t number;
        return read_file(argv[1], argv[2], &content) && mln_ok(mln_str_to_u64(mln_str_c(argv[3]), &number)) &&
                       run_one(argv[1], argv[2], mln_buf_str(&content), number)
                   ? 0
                   : 1;
    }
    printf("1..%zu\n", name_count);
    int failed = 0;
    for (size_t i = 0; i < name_count; i++) {
        bool good = run_file(argv[1], names[i]);
        failed |= !good;
        printf("%s %zu - %s\n", good ? "ok" : "not ok", i + 1, names[i]);
    }
    for (size_t i = 0; i < name_count; i++)
        free(names[i]);
    return failed;
}
