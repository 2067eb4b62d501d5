/*
 * The posture engine with the real rules: judging a machine beside reading it, a changed machine's way through the engine
 * beside bare commits of its document, and what a machine takes in memory.
 */
#include "bench.h"
#include "inventory/containers.h"
#include "posture/engine.h"
#include "stores/stores.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define SUB "0f2c8a1e-1111-4222-8333-444455556666"
#define MACHINES "/subscriptions/" SUB "/resourceGroups/g/providers/Microsoft.HybridCompute/machines/"

enum { VARIANTS = 16, ROWS_A_BATCH = 1000, ESTATE = 100 * ROWS_A_BATCH, DOCUMENT_BYTES = 8 << 20, PUTTERS = 16 };

static char directory[256], location[320];
static struct mln_arena *arena; /* of the whole bench */
static struct mln_ruleset *rules;
static const struct mln_json *variants[VARIANTS]; /* machines without an id of their own */
static struct mln_str texts[VARIANTS];

static struct mln_ruleset *load(void)
{
    char path[4096];
    const char *source = getenv("MLN_SOURCE");
    struct mln_ruleset *set;
    snprintf(path, sizeof path, "%s/content", source ? source : ".");
    bench_need(mln_ruleset_load(mln_str_c(path), &set));
    return set;
}

/* A machine is the sum of one example of each rule: the first, but for a few rules, which are others in each variant. So a
   machine that becomes another variant changes some findings of many, as machines do. */
static void make_variants(void)
{
    for (size_t v = 0; v < VARIANTS; v++) {
        const struct mln_json *machine = NULL;
        for (size_t r = 0; r < rules->n_rules; r++) {
            const struct mln_rule *rule = &rules->rules[r];
            if (!rule->n_examples || !mln_str_eq_nocase(rule->resource_type, MLN_S("Microsoft.HybridCompute/machines")))
                continue;
            const struct mln_json *example = rule->examples[r % 64 == v ? 1 % rule->n_examples : 0].resource;
            if (!machine)
                machine = example;
            bench_need(mln_json_merge_patch(arena, machine, example, &machine));
        }
        struct mln_buf text = MLN_BUF(DOCUMENT_BYTES);
        bench_need(machine ? mln_json_write(&text, machine, false)
                           : mln_fail(MLN_E_NOT_FOUND, "no rules for machines"));
        variants[v] = machine;
        texts[v] = mln_buf_str(&text); /* kept to the end */
    }
}

/* The variant as a machine of this number. */
static const struct mln_json *machine_of(struct mln_arena *of, size_t number, size_t variant)
{
    struct mln_str id = mln_str_printf(of, MACHINES "m%06zu", number);
    struct mln_json_object own = {0};
    const struct mln_json *machine;
    bench_need(mln_json_add(of, &own, MLN_S("id"), mln_json_of_str(id)));
    bench_need(mln_json_add(of, &own, MLN_S("name"), mln_json_of_str(mln_str_sub(id, sizeof MACHINES - 1, id.n))));
    struct mln_json patch = mln_json_object_done(&own);
    bench_need(mln_json_merge_patch(of, variants[variant], &patch, &machine));
    return machine;
}

/* ---- without a store ---- */

static double parses(void)
{
    struct mln_arena *of = mln_arena_new((size_t)256 << 20);
    double start = bench_seconds(), passed;
    size_t n = 0;
    do {
        const struct mln_json *json;
        mln_arena_reset(of);
        bench_need(mln_json_parse(of, texts[n % VARIANTS], DOCUMENT_BYTES, &json));
        n++;
    } while ((passed = bench_seconds() - start) * 1000 < BENCH_MS);
    mln_arena_free(of);
    return (double)n / passed;
}

static double assessments(void)
{
    struct mln_arena *of = mln_arena_new((size_t)256 << 20);
    const struct mln_rule_type *type = mln_ruleset_type(rules, MLN_S("Microsoft.HybridCompute/machines"));
    struct mln_expr_run *run = mln_expr_run_new(type->env, &mln_system_clock, &mln_expr_default_limits);
    double start = bench_seconds(), passed;
    size_t n = 0;
    do {
        struct mln_finding *findings;
        size_t n_findings;
        mln_arena_reset(of);
        bench_need(mln_assess(rules, variants[n % VARIANTS], run, &mln_system_clock, of, &findings, &n_findings));
        n++;
    } while ((passed = bench_seconds() - start) * 1000 < BENCH_MS);
    mln_expr_run_free(run);
    mln_arena_free(of);
    return (double)n / passed;
}

/* A machine that becomes another variant: the steps of its score change, and the counts. */
static double moves(void)
{
    struct mln_catalog *catalog;
    uint64_t *statuses[VARIANTS];
    bench_need(mln_catalog_of(rules, &catalog));
    uint32_t type = mln_catalog_type(catalog, MLN_S("Microsoft.HybridCompute/machines"));
    struct mln_counts *counts = mln_counts_new(catalog);
    struct mln_tally *tallies = calloc(catalog->n_controls + 1, sizeof *tallies);
    for (size_t v = 0; v < VARIANTS; v++) {
        struct mln_finding *findings;
        size_t n;
        bench_need(mln_assess(rules, variants[v], NULL, &mln_system_clock, arena, &findings, &n));
        bench_need(mln_statuses_of_findings(catalog, type, findings, n, &statuses[v]));
    }
    double start = bench_seconds(), passed;
    size_t n = 0;
    do {
        struct mln_view before = {type, statuses[n % VARIANTS]}, after = {type, statuses[(n + 1) % VARIANTS]};
        mln_counts_add(counts, catalog, &before, tallies, -1);
        mln_counts_add(counts, catalog, &after, tallies, 1);
        n++;
    } while ((passed = bench_seconds() - start) * 1000 < BENCH_MS);
    for (size_t v = 0; v < VARIANTS; v++)
        free(statuses[v]);
    free(tallies);
    mln_counts_free(counts);
    mln_catalog_free(catalog);
    return (double)n / passed;
}

/* ---- with a store ---- */

static void remove_files(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char name[320];
        snprintf(name, sizeof name, "%s/db%s", directory, suffixes[i]);
        unlink(name);
    }
    rmdir(directory);
}

/* The row of a variant as the engine would write it, but for its id. */
static struct mln_row row_of(size_t variant)
{
    struct mln_finding *findings;
    struct mln_row_record record;
    size_t n;
    struct mln_row row = {.type = MLN_S("Microsoft.HybridCompute/machines")};
    bench_need(mln_assess(rules, variants[variant], NULL, &mln_system_clock, arena, &findings, &n));
    bench_need(mln_row_merge(arena, NULL, rules, findings, n, 1, &row, &record));
    return row;
}

static void put_row(struct mln_store_batch *batch, struct mln_row row, size_t number)
{
    char id[128], key[128];
    struct mln_buf text = MLN_BUF(DOCUMENT_BYTES);
    int n = snprintf(id, sizeof id, MACHINES "m%06zu", number);
    for (int i = 0; i <= n; i++)
        key[i] = id[i] >= 'A' && id[i] <= 'Z' ? (char)(id[i] + 32) : id[i];
    row.id = mln_str_c(id);
    bench_need(mln_row_write(&row, &text));
    bench_need(mln_store_put(batch, MLN_COLLECTION_ASSESSMENTS, mln_str_c(key), mln_buf_str(&text)));
    mln_buf_free(&text);
}

/* An estate of machines that are only assessed: opening the engine does not look at their documents. */
static void fill(struct mln_store *store)
{
    struct mln_row rows[VARIANTS];
    struct mln_store_batch *batch = NULL;
    for (size_t v = 0; v < VARIANTS; v++)
        rows[v] = row_of(v);
    for (size_t i = 0; i < ESTATE; i++) {
        if (!batch)
            batch = mln_store_batch_new();
        put_row(batch, rows[i % VARIANTS], i);
        if (i % ROWS_A_BATCH == ROWS_A_BATCH - 1)
            bench_need(mln_store_commit(store, MLN_TAKE(batch), NULL));
    }
}

struct putting {
    struct mln_posture *posture; /* NULL: bare commits */
    struct mln_store *store;
    size_t number;
    atomic_bool *stop;
    size_t done;
};

static void *put_on(void *context)
{
    struct putting *p = context;
    struct mln_arena *of = mln_arena_new((size_t)256 << 20);
    for (; !atomic_load(p->stop); p->done++) {
        size_t variant = (p->number + p->done) % VARIANTS;
        mln_arena_reset(of);
        if (p->posture) {
            const struct mln_json *machine = machine_of(of, ESTATE + p->number, variant);
            bench_need(mln_posture_put(p->posture, machine, MLN_POSTURE_ANY, MLN_S("bench"), NULL, NULL));
        } else {
            struct mln_store_batch *batch = mln_store_batch_new();
            struct mln_str key = mln_str_printf(of, "bare-%zu", p->number);
            bench_need(mln_store_put(batch, MLN_COLLECTION_DOCUMENTS, key, texts[variant]));
            bench_need(mln_store_commit(p->store, batch, NULL));
        }
    }
    mln_arena_free(of);
    return NULL;
}

static double puts_by(struct mln_posture *posture, struct mln_store *store, size_t n_threads)
{
    pthread_t threads[PUTTERS];
    struct putting puts[PUTTERS];
    atomic_bool stop = false;
    double start = bench_seconds();
    size_t done = 0;
    for (size_t i = 0; i < n_threads; i++) {
        puts[i] = (struct putting){posture, store, i, &stop, 0};
        pthread_create(&threads[i], NULL, put_on, &puts[i]);
    }
    usleep(BENCH_MS * 1000);
    atomic_store(&stop, true);
    for (size_t i = 0; i < n_threads; i++) {
        pthread_join(threads[i], NULL);
        done += puts[i].done;
    }
    return (double)done / (bench_seconds() - start);
}

static void measure_puts(struct mln_posture *posture, struct mln_store *store)
{
    static const size_t counts[] = {1, PUTTERS};
    for (size_t i = 0; i < 2; i++) {
        double bare[BENCH_ROUNDS], engine[BENCH_ROUNDS];
        char name[32], peer[32];
        for (int r = 0; r < BENCH_ROUNDS; r++) {
            bare[r] = puts_by(NULL, store, counts[i]);
            engine[r] = puts_by(posture, store, counts[i]);
        }
        snprintf(peer, sizeof peer, "bare-commits-%zu", counts[i]);
        snprintf(name, sizeof name, "puts-%zu", counts[i]);
        double limit = bench_median(bare);
        bench_print(peer, limit, "/s");
        bench_compare(name, bench_median(engine), "/s", peer, limit);
    }
}

static void measure_estate(void)
{
    struct mln_store *store;
    struct mln_posture *posture;
    const char *tmp = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%.200s/merlon-bench-XXXXXX", tmp ? tmp : "/var/tmp");
    if (!mkdtemp(directory))
        bench_need(mln_fail(MLN_E_IO, "cannot make %s", directory));
    snprintf(location, sizeof location, "sqlite:%s/db", directory);
    bench_need(mln_stores_open(location, NULL, &store));
    bench_need(mln_subscription_create(store, &mln_system_clock, MLN_S(SUB), MLN_S("bench")));
    bench_need(mln_group_put(store, &mln_system_clock, MLN_S(SUB), MLN_S("g"), MLN_S("here"), NULL, NULL, NULL, NULL));
    bench_need(mln_posture_open(store, &mln_system_clock, load(), &posture)); /* says which content is in force */
    mln_posture_close(posture);
    fill(store);

    struct mln_ruleset *own = load();
    size_t before = mallinfo2().uordblks;
    double start = bench_seconds();
    bench_need(mln_posture_open(store, &mln_system_clock, own, &posture));
    bench_print("open", ESTATE / (bench_seconds() - start), "/s");
    bench_print("memory-per-machine", (double)(mallinfo2().uordblks - before) / ESTATE, "bytes");
    measure_puts(posture, store);
    mln_posture_close(posture);
    mln_store_close(store);
    remove_files();
}

int main(void)
{
    double read[BENCH_ROUNDS], judged[BENCH_ROUNDS], moved[BENCH_ROUNDS];
    arena = mln_arena_new((size_t)1 << 30);
    rules = load();
    make_variants();
    for (int r = 0; r < BENCH_ROUNDS; r++) {
        read[r] = parses();
        judged[r] = assessments();
        moved[r] = moves();
    }
    double limit = bench_median(read);
    bench_print("rules", (double)rules->n_rules, "rules");
    bench_print("document", (double)texts[0].n, "bytes");
    bench_print("parse", limit, "/s");
    bench_compare("assess", bench_median(judged), "/s", "parse", limit);
    bench_compare("count", bench_median(moved), "/s", "parse", limit);
    measure_estate();
    return 0;
}
