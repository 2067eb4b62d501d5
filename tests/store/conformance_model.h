/* The property that says most: after any changes, a store answers as a sorted list does that had the same changes. Part
   of conformance.h. */
#ifndef MLN_TESTS_STORE_CONFORMANCE_MODEL_H
#define MLN_TESTS_STORE_CONFORMANCE_MODEL_H

enum { MODEL_MAX = 512, MODEL_KEY_BYTES = 5 };

struct model_entry {
    char bytes[MODEL_KEY_BYTES];
    size_t n;
    uint32_t value;
    int64_t revision;
};

struct model {
    struct model_entry at[MODEL_MAX]; /* by key */
    size_t n;
};

static uint32_t model_random(void)
{
    static uint64_t state = 20260101; /* fixed: a failure can be seen again */
    return (uint32_t)(check_random(&state) >> 32);
}

/* Few bytes, so that keys meet, and the extremes among them. */
static struct mln_str model_random_key(char *out, size_t least_bytes)
{
    static const char alphabet[] = {'\0', 'a', 'b', (char)0xff};
    size_t n = least_bytes + model_random() % (MODEL_KEY_BYTES - least_bytes);
    for (size_t i = 0; i < n; i++)
        out[i] = alphabet[model_random() % sizeof alphabet];
    return (struct mln_str){out, n};
}

static struct mln_str model_key(const struct model_entry *entry)
{
    return (struct mln_str){entry->bytes, entry->n};
}

/* The place of the first key that is not less. */
static size_t model_find(const struct model *model, struct mln_str key)
{
    size_t i = 0;
    while (i < model->n && mln_str_cmp(model_key(&model->at[i]), key) < 0)
        i++;
    return i;
}

static bool model_has(const struct model *model, size_t i, struct mln_str key)
{
    return i < model->n && mln_str_eq(model_key(&model->at[i]), key);
}

static void model_put(struct model *model, struct mln_str key, uint32_t value)
{
    size_t i = model_find(model, key);
    if (!model_has(model, i, key)) {
        assert_true(model->n < MODEL_MAX);
        memmove(&model->at[i + 1], &model->at[i], (model->n++ - i) * sizeof model->at[0]);
    }
    model->at[i] = (struct model_entry){.n = key.n, .value = value};
    memcpy(model->at[i].bytes, key.p, key.n);
}

static void model_delete(struct model *model, size_t from, size_t to)
{
    if (to <= from)
        return;
    memmove(&model->at[from], &model->at[to], (model->n - to) * sizeof model->at[0]);
    model->n -= to - from;
}

static void random_change(struct model *model, struct mln_store_batch *batch)
{
    char bytes[MODEL_KEY_BYTES], end_bytes[MODEL_KEY_BYTES];
    struct mln_str key = model_random_key(bytes, 1);
    uint32_t what = model_random() % 16, value = model_random();
    if (what < 11) {
        assert_ok(mln_store_put(batch, ANY, key, (struct mln_str){(const char *)&value, sizeof value}));
        model_put(model, key, value);
    } else if (what < 15) {
        assert_ok(mln_store_delete(batch, ANY, key));
        size_t i = model_find(model, key);
        model_delete(model, i, i + model_has(model, i, key));
    } else {
        struct mln_str end = model_random_key(end_bytes, 0);
        assert_ok(mln_store_delete_range(batch, ANY, key, end));
        model_delete(model, model_find(model, key), model_find(model, end));
    }
}

/* The entries that the batch wrote have no revision in the model yet. */
static void random_batch(struct model *model)
{
    struct mln_store_batch *batch = new_batch();
    char bytes[MODEL_KEY_BYTES];
    struct mln_str key = model_random_key(bytes, 1);
    size_t i = model_find(model, key);
    int64_t expected = model_has(model, i, key) ? model->at[i].revision : 0, revision = 0;
    assert_ok(mln_store_expect(batch, ANY, key, expected));
    for (uint32_t n = model_random() % 6; n > 0; n--)
        random_change(model, batch);
    assert_ok(mln_store_commit(store, batch, &revision));
    for (i = 0; i < model->n; i++)
        if (model->at[i].revision == 0)
            model->at[i].revision = revision;
}

struct model_walk {
    const struct model *model;
    struct mln_store_scan scan;
    size_t next, left; /* the place of the entry that must come next; how many are still to come */
};

static struct mln_result model_visit(void *context, struct mln_str key, struct mln_str value, int64_t revision,
                                     bool *stop)
{
    (void)stop;
    struct model_walk *walk = context;
    assert_true(walk->left > 0);
    const struct model_entry *entry = &walk->model->at[walk->next];
    assert_true(mln_str_eq(key, model_key(entry)));
    assert_int_equal(value.n, sizeof entry->value);
    assert_memory_equal(value.p, &entry->value, sizeof entry->value);
    assert_int_equal(revision, entry->revision);
    walk->left--;
    walk->next += walk->scan.backwards ? (size_t)-1 : 1;
    return MLN_OK;
}

static bool model_matches(const struct model_entry *entry, const struct mln_store_scan *scan)
{
    struct mln_str key = model_key(entry);
    if (!mln_str_starts(key, scan->prefix))
        return false;
    if (!scan->after.p)
        return true;
    int order = mln_str_cmp(key, scan->after);
    return scan->backwards ? order < 0 : order > 0;
}

static void check_random_scan(const struct model *model, struct mln_store_read *read)
{
    char prefix[MODEL_KEY_BYTES], after[MODEL_KEY_BYTES];
    struct model_walk walk = {.model = model};
    walk.scan.backwards = model_random() % 2;
    walk.scan.limit = model_random() % 4 == 0 ? model_random() % 5 : 0;
    if (model_random() % 2)
        walk.scan.prefix = model_random_key(prefix, 0);
    uint64_t count;
    assert_ok(mln_store_count(read, ANY, walk.scan.prefix, &count));
    for (size_t i = 0; i < model->n; i++)
        count -= mln_str_starts(model_key(&model->at[i]), walk.scan.prefix);
    assert_int_equal(count, 0);

    if (model_random() % 2)
        walk.scan.after = model_random_key(after, 0);
    for (size_t i = 0; i < model->n; i++)
        if (model_matches(&model->at[i], &walk.scan)) {
            if (walk.left++ == 0 || walk.scan.backwards)
                walk.next = i;
        }
    if (walk.scan.limit && walk.left > walk.scan.limit)
        walk.left = walk.scan.limit;
    assert_ok(mln_store_scan(read, ANY, &walk.scan, model_visit, &walk));
    assert_int_equal(walk.left, 0);
}

static void it_behaves_like_a_sorted_list(void **state)
{
    (void)state;
    static struct model model;
    model.n = 0;
    for (int round = 0; round < 300; round++) {
        random_batch(&model);
        if (round == 150)
            reopen();
        MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = begin(store);
        for (int i = 0; i < 8; i++)
            check_random_scan(&model, read);
    }
}

#endif
