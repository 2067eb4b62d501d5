/* The hosts connector against a store and a posture engine of its own: tokens, enrolment, certificates, reports, status. */
#include "hosts_test.h"

#include <pthread.h>
#include <unistd.h>

/* ---- tokens ---- */

static void a_token_has_its_form_and_keeps_its_secret(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_enrolment_token made, found;
    char secret[MLN_HOSTS_TOKEN_TEXT];
    struct mln_str stored;
    make_token(secret, 5, &made);
    assert_int_equal(strlen(secret), 47);
    assert_memory_equal(secret, "mlt_", 4);
    assert_ok(mln_hosts_token_get(hosts, made.id, arena, &found));
    assert_int_equal(found.uses, 5);
    assert_int_equal(found.used, 0);
    assert_false(found.revoked);
    assert_str(found.created_by, "alice");
    assert_int_equal(found.expires_ms, now_ms + DAY_MS);
    assert_ok(mln_store_read_begin(place.store, &read));
    struct mln_str key = mln_str_printf(arena, "enrol/%.*s", MLN_FMT(made.id));
    assert_ok(mln_store_get(read, MLN_COLLECTION_TOKENS, key, arena, &stored, NULL));
    assert_int_equal(mln_str_find(stored, mln_str_c(secret + 4), 0), SIZE_MAX);
}

static void what_cannot_be_a_token_is_refused(void **state)
{
    (void)state;
    struct mln_enrolment_token made;
    char secret[MLN_HOSTS_TOKEN_TEXT];
    const struct mln_enrolment_token wrong[] = {
        {.resource_group = MLN_S(GROUP), .uses = MLN_HOSTS_MAX_TOKEN_USES + 1},
        {.resource_group = MLN_S(GROUP), .uses = -1},
        {.resource_group = MLN_S(GROUP), .expires_ms = now_ms},
        {.resource_group = MLN_S(GROUP), .expires_ms = now_ms + 367 * DAY_MS},
        {.resource_group = MLN_S(GROUP), .tags = check_json(arena, "{\"team\":7}")},
        {.resource_group = MLN_S(GROUP), .tags = check_json(arena, "[]")},
        {.resource_group = MLN_S("/subscriptions/" SUB)},
        {.resource_group = MLN_S(MACHINE("web"))},
        {.resource_group = MLN_S(GROUP), .description = MLN_S("\xff")},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(INVALID, mln_hosts_token_create(hosts, &wrong[i], MLN_S("alice"), arena, secret, &made));
    struct mln_enrolment_token nowhere = {.resource_group = MLN_S("/subscriptions/" SUB "/resourceGroups/gone")};
    assert_fails(NOT_FOUND, mln_hosts_token_create(hosts, &nowhere, MLN_S("alice"), arena, secret, &made));
}

static struct mln_result note_token(void *context, const struct mln_enrolment_token *token, bool *stop)
{
    struct mln_json_writer w = mln_json_writer(context);
    (void)stop;
    mln_hosts_token_json(&w, token);
    return mln_json_writer_end(&w);
}

static void tokens_are_listed_below_a_scope(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf seen = MLN_BUF(1 << 20);
    struct mln_enrolment_token made;
    char secret[MLN_HOSTS_TOKEN_TEXT];
    make_token(secret, 1, &made);
    assert_ok(mln_hosts_tokens(hosts, MLN_S("/subscriptions/" SUB), note_token, &seen));
    assert_member(check_json(arena, seen.p), "resourceGroup", GROUP);
    assert_member(check_json(arena, seen.p), "tags.team", "web");
    assert_member(check_json(arena, seen.p), "digest", "(absent)");
    mln_buf_clear(&seen);
    assert_ok(mln_hosts_tokens(hosts, MLN_S(GROUP "X"), note_token, &seen));
    assert_int_equal(seen.n, 0);
    assert_fails(NOT_FOUND, mln_hosts_token_get(hosts, MLN_S("0123"), arena, &made));
    assert_fails(NOT_FOUND, mln_hosts_token_revoke(hosts, MLN_S("0123")));
}

/* ---- enrolment ---- */

static void a_machine_enrols_and_becomes_a_resource(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    const struct mln_json *json = check_json(arena, answer.p), *document = resource(MACHINE("web-1"));
    struct mln_cert_info info;
    assert_member(json, "resourceId", MACHINE("web-1"));
    assert_int_equal(mln_json_i64(mln_json_get(json, MLN_S("heartbeatSeconds")), 0), 30);
    assert_non_null(document);
    assert_member(document, "type", "Microsoft.HybridCompute/machines");
    assert_member(document, "properties.status", "Connected");
    assert_member(document, "properties.osType", "linux");
    assert_member(document, "properties.agentVersion", "0.1.0");
    assert_member(document, "properties.displayName", "web-1");
    assert_member(document, "properties.vmId", agent.id);
    assert_member(document, "tags.team", "web");
    assert_ok(mln_cert_describe(agent.cert, arena, &info));
    assert_str(info.subject_cn, agent.id);
    assert_in_range(info.not_after_ms, now_ms + 30 * DAY_MS - 1000, now_ms + 30 * DAY_MS);
    assert_ok(mln_cert_verify_client(agent.cert, (const struct mln_cert *const[]){mln_ca_cert(ca)}, 1, now_ms));
    assert_ok(identify(agent.cert));
    agent_free(&agent);
}

static void a_token_lets_in_as_many_as_it_says(void **state)
{
    (void)state;
    struct mln_enrolment_token token, after;
    char secret[MLN_HOSTS_TOKEN_TEXT];
    struct agent agents[3];
    make_token(secret, 2, &token);
    for (int i = 0; i < 3; i++)
        agent_new(&agents[i]);
    assert_ok(enroll(&agents[0], secret, "web-1", VM_A));
    assert_ok(enroll(&agents[1], secret, "web-2", VM_B));
    assert_fails(UNAUTHENTICATED, enroll(&agents[2], secret, "web-3", VM_B));
    assert_null(resource(MACHINE("web-3")));
    assert_ok(mln_hosts_token_get(hosts, token.id, arena, &after));
    assert_int_equal(after.used, 2);
    for (int i = 0; i < 3; i++)
        agent_free(&agents[i]);
}

static void a_lost_answer_is_given_again_and_costs_no_token(void **state)
{
    (void)state;
    struct mln_enrolment_token token, after;
    char secret[MLN_HOSTS_TOKEN_TEXT], first_id[MLN_MACHINE_ID_TEXT];
    MLN_BUF_CLEANUP struct mln_buf first = MLN_BUF(1 << 20);
    struct agent agent, other;
    make_token(secret, 1, &token);
    agent_new(&agent);
    agent_new(&other);
    assert_ok(enroll(&agent, secret, "web-1", VM_A));
    assert_ok(mln_buf_append(&first, mln_buf_str(&answer)));
    memcpy(first_id, agent.id, sizeof first_id);
    restart();
    now_ms += 9 * 60 * 1000;
    assert_ok(enroll(&agent, secret, "web-1", VM_A));
    assert_true(mln_json_equal(check_json(arena, first.p), check_json(arena, answer.p)));
    assert_string_equal(agent.id, first_id);
    assert_ok(mln_hosts_token_get(hosts, token.id, arena, &after));
    assert_int_equal(after.used, 1);
    assert_fails(UNAUTHENTICATED, enroll(&other, secret, "web-1", VM_A)); /* another key is another machine */
    now_ms += 2 * 60 * 1000;
    assert_fails(UNAUTHENTICATED, enroll(&agent, secret, "web-1", VM_A)); /* too late */
    agent_free(&agent);
    agent_free(&other);
}

static void answers_are_forgotten_after_ten_minutes(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct agent agent = enrolled("web-1", VM_A);
    uint64_t kept;
    now_ms += 11 * 60 * 1000;
    assert_ok(mln_hosts_sweep(hosts, NULL));
    assert_ok(mln_store_read_begin(place.store, &read));
    assert_ok(mln_store_count(read, MLN_COLLECTION_TOKENS, MLN_S("enrolled/"), &kept));
    assert_int_equal(kept, 0);
    agent_free(&agent);
}

static void tokens_that_do_not_count_all_look_alike(void **state)
{
    (void)state;
    struct mln_enrolment_token token;
    char secret[MLN_HOSTS_TOKEN_TEXT], first[512];
    struct agent agent;
    agent_new(&agent);
    assert_fails(UNAUTHENTICATED, enroll(&agent, "mlt_nonsense", "web-1", VM_A));
    snprintf(first, sizeof first, "%s", mln_error_text());
    make_token(secret, 1, &token);
    secret[20] ^= 1;
    assert_fails(UNAUTHENTICATED, enroll(&agent, secret, "web-1", VM_A));
    assert_string_equal(mln_error_text(), first);
    make_token(secret, 1, &token);
    assert_ok(mln_hosts_token_revoke(hosts, token.id));
    assert_fails(UNAUTHENTICATED, enroll(&agent, secret, "web-1", VM_A));
    assert_string_equal(mln_error_text(), first);
    make_token(secret, 1, &token);
    now_ms += DAY_MS;
    assert_fails(UNAUTHENTICATED, enroll(&agent, secret, "web-1", VM_A));
    assert_string_equal(mln_error_text(), first);
    agent_free(&agent);
}

static void a_name_belongs_to_one_machine(void **state)
{
    (void)state;
    struct mln_enrolment_token token, after;
    char secret[MLN_HOSTS_TOKEN_TEXT];
    struct agent first = enrolled("web-1", VM_A), second;
    make_token(secret, 2, &token);
    agent_new(&second);
    assert_fails(CONFLICT, enroll(&second, secret, "WEB-1", VM_B));
    assert_ok(identify(first.cert));
    assert_ok(mln_hosts_token_get(hosts, token.id, arena, &after));
    assert_int_equal(after.used, 0);
    assert_ok(enroll(&second, secret, "web-1", VM_A)); /* the same machine, set up anew */
    assert_string_equal(second.id, first.id);
    assert_fails(UNAUTHENTICATED, identify(first.cert));
    assert_ok(identify(second.cert));
    agent_free(&first);
    agent_free(&second);
}

static void bodies_that_are_wrong_are_refused(void **state)
{
    (void)state;
    struct mln_enrolment_token token;
    char secret[MLN_HOSTS_TOKEN_TEXT];
    struct agent agent;
    static const char *const names[] = {
        "",   ".",  "a/b",       "a b",
        "..", "a?", "-\xc3\xa4", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    make_token(secret, 1, &token);
    agent_new(&agent);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_fails(INVALID, enroll(&agent, secret, names[i], VM_A));
    assert_fails(INVALID, enroll(&agent, secret, "web-1", "not a digest"));
    mln_buf_clear(&answer);
    assert_fails(SYNTAX, mln_hosts_enroll(hosts, MLN_S("a"), MLN_S("{"), &answer));
    assert_fails(INVALID, mln_hosts_enroll(hosts, MLN_S("a"), MLN_S("{}"), &answer));
    assert_fails(INVALID, mln_hosts_enroll(hosts, MLN_S("a"), MLN_S("[]"), &answer));
    MLN_BUF_CLEANUP struct mln_buf large = MLN_BUF(1 << 20);
    while (large.n <= MLN_HOSTS_MAX_SMALL_BODY_BYTES)
        assert_ok(mln_buf_append(&large, MLN_S("          ")));
    assert_fails(LIMIT, mln_hosts_enroll(hosts, MLN_S("a"), mln_buf_str(&large), &answer));
    agent_free(&agent);
}

static void strangers_are_slowed_down(void **state)
{
    (void)state;
    mln_hosts_close(MLN_TAKE(hosts));
    open_hosts(3);
    for (int i = 0; i < 3; i++)
        assert_fails(INVALID, mln_hosts_enroll(hosts, MLN_S("198.51.100.1"), MLN_S("{}"), &answer));
    assert_fails(TOO_MANY, mln_hosts_enroll(hosts, MLN_S("198.51.100.1"), MLN_S("{}"), &answer));
    now_ms += 60 * 1000;
    assert_fails(INVALID, mln_hosts_enroll(hosts, MLN_S("198.51.100.1"), MLN_S("{}"), &answer));
}

/* ---- certificates ---- */

static void a_stranger_is_not_identified(void **state)
{
    (void)state;
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    MLN_CLEANUP(mln_csr_free) struct mln_csr *csr = NULL;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *cert = NULL;
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(64 << 10);
    char id[MLN_MACHINE_ID_TEXT];
    struct agent agent = enrolled("web-1", VM_A);
    assert_fails(UNAUTHENTICATED, mln_hosts_identify(hosts, MLN_S("not a certificate"), id));
    assert_ok(mln_key_generate(&key));
    assert_ok(mln_csr_create(key, MLN_S("x"), &pem));
    assert_ok(mln_csr_from_pem(mln_buf_str(&pem), &csr));
    /* signed by our own authority for the same machine, but not the certificate that the machine was given */
    assert_ok(mln_ca_issue_client(ca, csr, mln_str_c(agent.id), (struct mln_validity){now_ms, now_ms + DAY_MS}, &cert));
    assert_fails(UNAUTHENTICATED, identify(cert));
    agent_free(&agent);
}

static struct mln_result renew(struct agent *agent)
{
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF(128 << 10);
    struct mln_json_writer w = mln_json_writer(&body);
    mln_json_begin_object(&w);
    put_csr(&w, agent);
    mln_json_end_object(&w);
    assert_ok(mln_json_writer_end(&w));
    mln_buf_clear(&answer);
    return mln_hosts_renew(hosts, mln_str_c(agent->id), mln_buf_str(&body), &answer);
}

static void the_old_certificate_is_good_until_the_new_one_is_used(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A), before = agent;
    agent.cert = NULL;
    now_ms += 20 * DAY_MS;
    assert_ok(renew(&agent)); /* the answer is lost */
    assert_ok(identify(before.cert));
    assert_ok(renew(&agent)); /* and again, with the old one still */
    assert_ok(identify(before.cert));
    take_certificate(&agent);
    restart();
    assert_ok(identify(agent.cert));
    assert_fails(UNAUTHENTICATED, identify(before.cert));
    now_ms += 31 * DAY_MS;
    assert_fails(UNAUTHENTICATED, identify(agent.cert)); /* expired */
    assert_fails(INVALID, mln_hosts_renew(hosts, mln_str_c(agent.id), MLN_S("{}"), &answer));
    assert_fails(UNAUTHENTICATED, mln_hosts_renew(hosts, MLN_S("nobody"), MLN_S("{}"), &answer));
    mln_cert_free(before.cert);
    agent_free(&agent);
}

static void a_revoked_machine_is_refused_at_once_and_for_good(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    assert_fails(NOT_FOUND, mln_hosts_revoke(hosts, MLN_S(MACHINE("gone")), MLN_S("alice")));
    assert_ok(mln_hosts_revoke(hosts, MLN_S(MACHINE("WEB-1")), MLN_S("alice")));
    assert_fails(UNAUTHENTICATED, identify(agent.cert));
    assert_fails(UNAUTHENTICATED, beat(&agent));
    assert_fails(UNAUTHENTICATED, report(&agent, NULL, "{}", "{}"));
    assert_fails(UNAUTHENTICATED, renew(&agent));
    assert_member(resource(MACHINE("web-1")), "properties.status", "Disconnected");
    restart();
    assert_fails(UNAUTHENTICATED, identify(agent.cert));
    agent_free(&agent);
}

static void a_deleted_machine_does_not_come_back_by_being_revoked(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    assert_ok(mln_posture_delete(posture, MLN_S(MACHINE("web-1")), MLN_S("alice")));
    assert_ok(mln_hosts_revoke(hosts, MLN_S(MACHINE("web-1")), MLN_S("alice")));
    assert_null(resource(MACHINE("web-1")));
    now_ms += 46 * DAY_MS;
    assert_ok(mln_hosts_sweep(hosts, NULL));
    assert_null(resource(MACHINE("web-1")));
    assert_fails(UNAUTHENTICATED, identify(agent.cert));
    struct agent again = enrolled("web-1", VM_B); /* the name is free */
    assert_non_null(resource(MACHINE("web-1")));
    agent_free(&agent);
    agent_free(&again);
}

static void a_machine_can_say_goodbye(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    mln_buf_clear(&answer);
    assert_ok(mln_hosts_unenroll(hosts, mln_str_c(agent.id), &answer));
    assert_fails(UNAUTHENTICATED, identify(agent.cert));
    assert_member(resource(MACHINE("web-1")), "properties.status", "Disconnected");
    agent_free(&agent);
}

static void *beat_beside(void *context)
{
    const struct agent *agent = context;
    MLN_BUF_CLEANUP struct mln_buf out = MLN_BUF(4096);
    struct mln_result r = mln_hosts_heartbeat(hosts, mln_str_c(agent->id), MLN_S("{}"), &out);
    return mln_ok(r) ? context : NULL;
}

static unsigned calls_inside(const struct mln_host *host)
{
    pthread_mutex_lock(&hosts->lock);
    unsigned calls = host->calls;
    pthread_mutex_unlock(&hosts->lock);
    return calls;
}

static void a_machine_keeps_two_threads_at_most(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    struct mln_host *host = mln_hosts_find(hosts, mln_str_c(agent.id));
    pthread_t threads[MLN_HOSTS_CALLS_AT_ONCE];
    mln_host_take_turn(host); /* as if a long report was being worked on */
    for (int i = 0; i < MLN_HOSTS_CALLS_AT_ONCE; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, beat_beside, &agent), 0);
    while (calls_inside(host) < MLN_HOSTS_CALLS_AT_ONCE)
        usleep(1000);
    assert_fails(BUSY, beat(&agent));
    assert_fails(BUSY, identify(agent.cert));
    mln_host_end_turn(host);
    for (int i = 0; i < MLN_HOSTS_CALLS_AT_ONCE; i++) {
        void *served;
        pthread_join(threads[i], &served);
        assert_non_null(served);
    }
    assert_int_equal(calls_inside(host), 0);
    assert_ok(beat(&agent));
    agent_free(&agent);
}

static void a_machine_that_asks_too_often_waits(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    for (int i = 0; i < 60; i++)
        assert_ok(identify(agent.cert));
    assert_fails(TOO_MANY, identify(agent.cert));
    now_ms += 60 * 1000;
    assert_ok(identify(agent.cert));
    struct mln_hosts_stats stats;
    mln_hosts_stats(hosts, &stats);
    assert_int_equal(stats.limited, 1);
    assert_int_equal(stats.machines, 1);
    assert_int_equal(stats.connected, 1);
    agent_free(&agent);
}

/* ---- reports ---- */

#define FACTS_YES "{\"os\":{\"prettyName\":\"Debian 12\"},\"sshd\":{\"effective\":{\"permitrootlogin\":\"yes\"}}}"
#define FACTS_NO "{\"os\":{\"prettyName\":\"Debian 12\"},\"sshd\":{\"effective\":{\"permitrootlogin\":\"no\"}}}"

static struct mln_result note_status(void *context, const struct mln_assessment *assessment, bool *stop)
{
    (void)stop;
    *(enum mln_status *)context = assessment->status;
    return MLN_OK;
}

static enum mln_status status_now(void)
{
    const struct mln_ruleset *rules;
    enum mln_status status = MLN_NOT_APPLICABLE;
    struct mln_snapshot_pin *pin = mln_posture_rules(posture, &rules);
    assert_ok(mln_posture_assessments(posture, rules, &(struct mln_posture_query){.scope = MLN_S(MACHINE("web-1"))},
                                      note_status, &status));
    mln_posture_unpin(posture, pin);
    return status;
}

static void facts_are_assessed_and_differences_follow(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    char base[MLN_SHA256_HEX];
    assert_int_equal(status_now(), MLN_NOT_APPLICABLE);
    assert_ok(report(&agent, NULL, FACTS_YES, FACTS_YES));
    assert_int_equal(status_now(), MLN_UNHEALTHY);
    assert_member(resource(MACHINE("web-1")), "properties.osSku", "Debian 12");
    memcpy(base, agent.hash, sizeof base);
    assert_ok(report(&agent, base, "{\"sshd\":{\"effective\":{\"permitrootlogin\":\"no\"}}}", FACTS_NO));
    assert_int_equal(status_now(), MLN_HEALTHY);
    assert_fails(PRECONDITION, report(&agent, base, "{}", FACTS_YES)); /* built on what is no longer there */
    assert_ok(report(&agent, NULL, FACTS_YES, FACTS_YES));
    assert_int_equal(status_now(), MLN_UNHEALTHY);
    agent_free(&agent);
}

static void a_report_must_come_to_what_it_says(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    assert_fails(PRECONDITION, report(&agent, VM_A, FACTS_NO, FACTS_NO)); /* nothing is there to build on */
    assert_fails(INVALID, report(&agent, NULL, FACTS_YES, FACTS_NO));
    assert_fails(INVALID, mln_hosts_facts(hosts, mln_str_c(agent.id), MLN_S("{}"), &answer));
    assert_fails(INVALID,
                 mln_hosts_facts(hosts, mln_str_c(agent.id), MLN_S("{\"hash\":\"" VM_A "\",\"patch\":[]}"), &answer));
    assert_fails(INVALID, mln_hosts_facts(hosts, mln_str_c(agent.id),
                                          MLN_S("{\"base\":7,\"hash\":\"" VM_A "\",\"patch\":{}}"), &answer));
    assert_fails(UNAUTHENTICATED,
                 mln_hosts_facts(hosts, MLN_S("nobody"), MLN_S("{\"hash\":\"" VM_A "\",\"patch\":{}}"), &answer));
    assert_null(mln_json_path(resource(MACHINE("web-1")), "properties.facts"));
    agent_free(&agent);
}

static void reports_go_on_after_a_restart_of_the_server(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    char base[MLN_SHA256_HEX];
    assert_ok(report(&agent, NULL, FACTS_YES, FACTS_YES));
    memcpy(base, agent.hash, sizeof base);
    restart();
    assert_ok(report(&agent, base, "{\"sshd\":{\"effective\":{\"permitrootlogin\":\"no\"}}}", FACTS_NO));
    agent_free(&agent);
}

static void a_server_with_other_facts_asks_for_all(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    assert_ok(report(&agent, NULL, FACTS_YES, FACTS_YES));
    assert_ok(beat(&agent));
    assert_false(mln_json_bool(mln_json_get(check_json(arena, answer.p), MLN_S("wantFull")), true));
    memcpy(agent.hash, VM_A, sizeof agent.hash);
    assert_ok(beat(&agent));
    assert_true(mln_json_bool(mln_json_get(check_json(arena, answer.p), MLN_S("wantFull")), false));
    agent_free(&agent);
}

static void what_an_operator_tags_stays(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    struct mln_json_object edited = {0};
    const struct mln_json *document = resource(MACHINE("web-1")), *tags = check_json(arena, "{\"team\":\"db\"}");
    for (uint32_t i = 0; i < document->n; i++) {
        struct mln_str name = document->members[i].name;
        assert_ok(
            mln_json_add(arena, &edited, name, mln_str_eq(name, MLN_S("tags")) ? *tags : document->members[i].value));
    }
    struct mln_json whole = mln_json_object_done(&edited);
    assert_ok(mln_posture_put(posture, &whole, MLN_POSTURE_ANY, MLN_S("alice"), NULL, NULL));
    assert_ok(report(&agent, NULL, FACTS_YES, FACTS_YES));
    assert_member(resource(MACHINE("web-1")), "tags.team", "db");
    agent_free(&agent);
}

/* ---- status ---- */

static void silence_disconnects_and_a_word_brings_back(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    size_t changed;
    now_ms += 89 * 1000;
    assert_ok(mln_hosts_sweep(hosts, &changed));
    assert_int_equal(changed, 0);
    now_ms += 2 * 1000;
    assert_ok(mln_hosts_sweep(hosts, &changed));
    assert_int_equal(changed, 1);
    assert_member(resource(MACHINE("web-1")), "properties.status", "Disconnected");
    assert_ok(beat(&agent));
    assert_member(resource(MACHINE("web-1")), "properties.status", "Connected");
    now_ms += 46 * DAY_MS;
    assert_ok(mln_hosts_sweep(hosts, NULL));
    assert_member(resource(MACHINE("web-1")), "properties.status", "Expired");
    assert_ok(report(&agent, NULL, FACTS_YES, FACTS_YES));
    assert_member(resource(MACHINE("web-1")), "properties.status", "Connected");
    agent_free(&agent);
}

static void our_own_absence_disconnects_nobody(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    size_t changed;
    now_ms += DAY_MS;
    restart();
    assert_ok(mln_hosts_sweep(hosts, &changed));
    assert_int_equal(changed, 0);
    now_ms += DAY_MS; /* a jump of the clock, or a sleep */
    assert_ok(mln_hosts_sweep(hosts, &changed));
    assert_int_equal(changed, 0);
    now_ms += 91 * 1000;
    assert_ok(mln_hosts_sweep(hosts, &changed));
    assert_int_equal(changed, 1);
    agent_free(&agent);
}

static void signs_of_life_reach_the_store(void **state)
{
    (void)state;
    struct agent agent = enrolled("web-1", VM_A);
    for (int i = 0; i < 12; i++) {
        now_ms += 30 * 1000;
        assert_ok(beat(&agent));
        assert_ok(mln_hosts_sweep(hosts, NULL));
    }
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_str value;
    int64_t heard;
    assert_ok(mln_store_read_begin(place.store, &read));
    assert_ok(mln_store_get(read, MLN_COLLECTION_MACHINES, mln_str_c(agent.id), arena, &value, NULL));
    const struct mln_json *record = check_json(arena, mln_str_z(arena, value));
    assert_ok(mln_time_parse(mln_json_str(mln_json_get(record, MLN_S("heardTime")), MLN_S("")), &heard));
    assert_in_range(heard, now_ms - 5 * 60 * 1000, now_ms);
    assert_int_equal(mln_json_i64(mln_json_get(record, MLN_S("spoolDropped")), 0), 3);
    agent_free(&agent);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_token_has_its_form_and_keeps_its_secret),
        T(what_cannot_be_a_token_is_refused),
        T(tokens_are_listed_below_a_scope),
        T(a_machine_enrols_and_becomes_a_resource),
        T(a_token_lets_in_as_many_as_it_says),
        T(a_lost_answer_is_given_again_and_costs_no_token),
        T(answers_are_forgotten_after_ten_minutes),
        T(tokens_that_do_not_count_all_look_alike),
        T(a_name_belongs_to_one_machine),
        T(bodies_that_are_wrong_are_refused),
        T(strangers_are_slowed_down),
        T(a_stranger_is_not_identified),
        T(the_old_certificate_is_good_until_the_new_one_is_used),
        T(a_revoked_machine_is_refused_at_once_and_for_good),
        T(a_deleted_machine_does_not_come_back_by_being_revoked),
        T(a_machine_can_say_goodbye),
        T(a_machine_that_asks_too_often_waits),
        T(a_machine_keeps_two_threads_at_most),
        T(facts_are_assessed_and_differences_follow),
        T(a_report_must_come_to_what_it_says),
        T(reports_go_on_after_a_restart_of_the_server),
        T(a_server_with_other_facts_asks_for_all),
        T(what_an_operator_tags_stays),
        T(silence_disconnects_and_a_word_brings_back),
        T(our_own_absence_disconnects_nobody),
        T(signs_of_life_reach_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
