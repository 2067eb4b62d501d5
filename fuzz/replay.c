/* Runs a fuzz target on each file of a directory, one TAP line a file: how the corpora are checked in every test run. */
#include "base/buf.h"

#include <dirent.h>

enum { LARGEST_INPUT_BYTES = 8 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
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

static bool replay(const char *directory, const char *name)
{
    MLN_BUF_CLEANUP struct mln_buf content = MLN_BUF(LARGEST_INPUT_BYTES);
    if (!read_file(directory, name, &content))
        return false;
    /* An exact heap copy, so that reading one byte too far is seen by the sanitizer. */
    uint8_t *data = malloc(content.n ? content.n : 1);
    if (!data)
        return false;
    if (content.n)
        memcpy(data, content.p, content.n);
    LLVMFuzzerTestOneInput(data, content.n);
    free(data);
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
        return 2;
    }
    static char *names[65536];
    size_t n = 0;
    DIR *directory = opendir(argv[1]);
    if (!directory) {
        printf("Bail out! cannot open %s\n", argv[1]);
        return 1;
    }
    for (struct dirent *entry; n < sizeof names / sizeof names[0] && (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && (names[n] = strdup(entry->d_name)))
            n++;
    closedir(directory);
    qsort(names, n, sizeof names[0], by_name);
    printf("1..%zu\n", n);
    int failed = 0;
    for (size_t i = 0; i < n; i++) {
        bool good = replay(argv[1], names[i]);
        failed |= !good;
        printf("%s %zu - %s\n", good ? "ok" : "not ok", i + 1, names[i]);
        free(names[i]);
    }
    return failed;
}
