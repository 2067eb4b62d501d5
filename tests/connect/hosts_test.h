/* What the tests of the hosts connector share: a store, an engine and a connector of their own, agents and an operator. */
#ifndef MLN_TESTS_HOSTS_TEST_H
#define MLN_TESTS_HOSTS_TEST_H

#include "check.h"

#include "base/base64.h"
#include "check_json.h"
#include "connect/hosts_state.h"
#include "crypto/ca.h"
#include "inventory/containers.h"
#include "inventory/inventory.h"
#include "place.h"

#include <sys/stat.h>

#define SUB "0f2c8a1e-1111-4222-8333-444455556666"
#define GROUP "/subscriptions/" SUB "/resourceGroups/Servers"
#define MACHINE(name) GROUP "/providers/Microsoft.HybridCompute/machines/" name
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define VM_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define VM_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const char rule[] =
    "id: ssh-root\ntitle: SSH should not let root sign in\ndescription: It leaves no trace.\n"
    "remediation:\n  text: Set it to no.\nseverity: High\ncategory: Compute\n"
    "controls: [secure-management-ports]\nresourceType: Microsoft.HybridCompute/machines\n"
    "healthy: facts.sshd.effective.permitrootlogin == \"no\"\nexamples:\n"
    "  - {name: good, expect: Healthy, facts: {sshd: {effective: {permitrootlogin: \"no\"}}}}\n"
    "  - {name: bad, expect: Unhealthy, facts: {sshd: {effective: {permitrootlogin: \"yes\"}}}}\n";

static struct place place;
static struct mln_arena *arena;
static int64_t now_ms;
static struct mln_clock test_clock;
static struct mln_posture *posture;
static struct mln_ca *ca;
static struct mln_hosts *hosts;
static struct mln_buf answer;

static void open_hosts(uint32_t requests_a_minute)
{
    MLN_BUF_CLEANUP struct mln_buf cert = MLN_BUF(MLN_CERT_PEM_MAX_BYTES), key = MLN_BUF_SECRET(MLN_KEY_PEM_MAX_BYTES);
    assert_ok(mln_cert_to_pem(mln_ca_cert(ca), &cert));
    assert_ok(mln_key_to_pem(mln_ca_key(ca), &key));
    assert_ok(mln_hosts_open(&(struct mln_hosts_setup){.store = place.store,
                                                       .posture = posture,
                                                       .clock = &test_clock,
                                                       .ca_certificate = mln_buf_str(&cert),
                                                       .ca_key = mln_buf_str(&key),
                                                       .requests_a_minute = requests_a_minute},
                             &hosts));
}

static void open_posture(void)
{
    char directory[128];
    struct mln_ruleset *rules;
    snprintf(directory, sizeof directory, "%s/rules", place.directory);
    assert_ok(mln_ruleset_load(mln_str_c(directory), &rules));
    assert_int_equal(rules->n_errors, 0);
    assert_ok(mln_posture_open(place.store, &test_clock, rules, &posture));
}

static int set_up(void **state)
{
    (void)state;
    char path[160];
    now_ms = INT64_C(1764000000000);
    test_clock = mln_fake_clock(&now_ms);
    arena = mln_arena_new(256 << 20);
    answer = MLN_BUF(16 << 20);
    place_make(&place);
    snprintf(path, sizeof path, "%s/rules", place.directory);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/rules/ssh-root.yaml", place.directory);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(rule, file);
    fclose(file);
    assert_ok(mln_subscription_create(place.store, &test_clock, MLN_S(SUB), MLN_S("s")));
    assert_ok(
        mln_group_put(place.store, &test_clock, MLN_S(SUB), MLN_S("Servers"), MLN_S("here"), NULL, NULL, NULL, NULL));
    open_posture();
    assert_ok(
        mln_ca_create(MLN_S("Test authority"), (struct mln_validity){now_ms - DAY_MS, now_ms + 3650 * DAY_MS}, &ca));
    open_hosts(0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mln_hosts_close(MLN_TAKE(hosts));
    mln_posture_close(MLN_TAKE(posture));
    mln_ca_free(MLN_TAKE(ca));
    place_remove(&place);
    mln_buf_free(&answer);
    mln_arena_free(arena);
    return 0;
}

/* Connector, engine and store closed and opened again, as after a restart. */
static void restart(void)
{
    mln_hosts_close(MLN_TAKE(hosts));
    mln_posture_close(MLN_TAKE(posture));
    mln_store_close(MLN_TAKE(place.store));
    place_open(&place);
    open_posture();
    open_hosts(0);
}

/* ---- what an agent does ---- */

struct agent {
    struct mln_key *key;
    struct mln_cert *cert;
    char id[MLN_MACHINE_ID_TEXT];
    char hash[MLN_SHA256_HEX]; /* of the facts last acknowledged */
};

static void agent_new(struct agent *agent)
{
    *agent = (struct agent){0};
    assert_ok(mln_key_generate(&agent->key));
}

static void agent_free(struct agent *agent)
{
    mln_key_free(agent->key);
    mln_cert_free(agent->cert);
}

static void put_csr(struct mln_json_writer *w, const struct agent *agent)
{
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(64 << 10);
    assert_ok(mln_csr_create(agent->key, MLN_S("whatever"), &pem));
    mln_json_member_str(w, "csr", mln_buf_str(&pem));
}

static void take_certificate(struct agent *agent)
{
    const struct mln_json *json = check_json(arena, answer.p);
    mln_cert_free(agent->cert);
    assert_ok(mln_cert_from_pem(mln_json_str(mln_json_get(json, MLN_S("certificate")), MLN_S("")), &agent->cert));
}

static struct mln_result enroll(struct agent *agent, const char *token, const char *name, const char *vm)
{
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF(128 << 10);
    struct mln_json_writer w = mln_json_writer(&body);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "token", mln_str_c(token));
    put_csr(&w, agent);
    mln_json_member_str(&w, "name", mln_str_c(name));
    mln_json_member_str(&w, "agentVersion", MLN_S("0.1.0"));
    mln_json_member_str(&w, "machineId", mln_str_c(vm));
    mln_json_end_object(&w);
    assert_ok(mln_json_writer_end(&w));
    mln_buf_clear(&answer);
    MLN_TRY(mln_hosts_enroll(hosts, MLN_S("192.0.2.7"), mln_buf_str(&body), &answer));
    take_certificate(agent);
    struct mln_str id = mln_json_str(mln_json_get(check_json(arena, answer.p), MLN_S("machineId")), MLN_S(""));
    snprintf(agent->id, sizeof agent->id, "%.*s", MLN_FMT(id));
    return MLN_OK;
}

/* DER of a certificate, from its PEM. */
static struct mln_result identify(const struct mln_cert *cert)
{
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(64 << 10), bare = MLN_BUF(64 << 10), der = MLN_BUF(64 << 10);
    char id[MLN_MACHINE_ID_TEXT];
    struct mln_str line;
    assert_ok(mln_cert_to_pem(cert, &pem));
    for (struct mln_str rest = mln_buf_str(&pem); mln_str_cut(&rest, '\n', &line);)
        if (!mln_str_starts(line, MLN_S("-----")))
            assert_ok(mln_buf_append(&bare, line));
    assert_ok(mln_base64_decode(MLN_BASE64, mln_buf_str(&bare), &der));
    return mln_hosts_identify(hosts, mln_buf_str(&der), id);
}

static struct mln_result beat(const struct agent *agent)
{
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF(4096);
    assert_ok(mln_buf_printf(&body,
                             "{\"agentVersion\":\"0.1.0\",\"sequence\":1,\"factsHash\":\"%s\","
                             "\"spool\":{\"held\":0,\"dropped\":3}}",
                             agent->hash));
    mln_buf_clear(&answer);
    return mln_hosts_heartbeat(hosts, mln_str_c(agent->id), mln_buf_str(&body), &answer);
}

/* Sends patch on top of base (NULL: everything), naming the digest of facts, which is what the result should be. */
static struct mln_result report(struct agent *agent, const char *base, const char *patch, const char *facts)
{
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF(1 << 20), canonical = MLN_BUF(1 << 20);
    char hash[MLN_SHA256_HEX];
    assert_ok(mln_json_write_canonical(&canonical, check_json(arena, facts)));
    assert_ok(mln_sha256_hex(mln_buf_str(&canonical), hash));
    assert_ok(mln_buf_printf(&body, "{\"sequence\":1,\"base\":%s%s%s,\"hash\":\"%s\",\"patch\":%s}", base ? "\"" : "",
                             base ? base : "null", base ? "\"" : "", hash, patch));
    mln_buf_clear(&answer);
    MLN_TRY(mln_hosts_facts(hosts, mln_str_c(agent->id), mln_buf_str(&body), &answer));
    assert_str(mln_json_str(mln_json_get(check_json(arena, answer.p), MLN_S("hash")), MLN_S("")), hash);
    memcpy(agent->hash, hash, sizeof hash);
    return MLN_OK;
}

/* ---- what an operator does ---- */

static void make_token(char secret[MLN_HOSTS_TOKEN_TEXT], int64_t uses, struct mln_enrolment_token *made)
{
    struct mln_enrolment_token wanted = {
        .resource_group = MLN_S(GROUP), .uses = uses, .tags = check_json(arena, "{\"team\":\"web\"}")};
    assert_ok(mln_hosts_token_create(hosts, &wanted, MLN_S("alice"), arena, secret, made));
}

static const struct mln_json *resource(const char *id)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_resource out = {0};
    assert_ok(mln_store_read_begin(place.store, &read));
    struct mln_result r = mln_resource_get(read, mln_str_c(id), arena, &out);
    return mln_ok(r) ? out.document : NULL;
}

static void assert_member(const struct mln_json *document, const char *path, const char *value)
{
    assert_str(mln_json_str(mln_json_path(document, path), MLN_S("(absent)")), value);
}

static struct agent enrolled(const char *name, const char *vm)
{
    struct mln_enrolment_token token;
    char secret[MLN_HOSTS_TOKEN_TEXT];
    struct agent agent;
    make_token(secret, 1, &token);
    agent_new(&agent);
    assert_ok(enroll(&agent, secret, name, vm));
    return agent;
}

#endif
