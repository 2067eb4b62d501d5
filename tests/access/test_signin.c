#include "access_test.h"

#include <pthread.h>
#include <stdatomic.h>

#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" /* RFC 7636, appendix B */
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define REDIRECT "http://localhost:8400/"

/* ---- passwords and secrets ---- */

static struct mln_result sign_in(const char *name, const char *password, const char *address)
{
    struct mln_principal out;
    return mln_signin_password(w.signin, mln_str_c(name), mln_str_c(password), mln_str_c(address), w.arena, &out);
}

static void test_the_password_decides(void **state)
{
    (void)state;
    struct mln_principal alice = world_add_alice(&w);
    assert_ok(sign_in("Alice", PASSWORD, HERE));
    static const char *const refused[][2] = {
        {"alice", "wrong password"}, {"alice", ""}, {"nobody", PASSWORD}, {"", ""}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_fails(UNAUTHENTICATED, sign_in(refused[i][0], refused[i][1], HERE));
        assert_error_has("The name or the secret is not right");
    }
    alice.disabled = true;
    world_put(&w, &alice);
    assert_fails(UNAUTHENTICATED, sign_in("alice", PASSWORD, HERE));
    assert_error_has("The name or the secret is not right");
}

static void test_guessing_locks_the_name_there_for_a_while(void **state)
{
    (void)state;
    world_add_alice(&w);
    for (int i = 0; i < 10; i++)
        assert_fails(UNAUTHENTICATED, sign_in("alice", "guess", HERE));
    assert_fails(TOO_MANY, sign_in("alice", PASSWORD, HERE));
    assert_ok(sign_in("alice", PASSWORD, "198.51.100.7")); /* a stranger locks nobody else out */
    w.now_ms += 15 * MINUTE_MS;
    assert_ok(sign_in("alice", PASSWORD, HERE));
}

static void test_guessing_from_many_places_locks_the_name(void **state)
{
    (void)state;
    char address[32];
    struct mln_principal alice = world_add_alice(&w);
    /* a hash that costs little to compare with, whatever it is of */
    alice.secrets[0].hash =
        MLN_S("$scrypt$ln=10,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    world_put(&w, &alice);
    for (int i = 0; i < 100; i++) {
        snprintf(address, sizeof address, "203.0.113.%d", i);
        assert_fails(UNAUTHENTICATED, sign_in("alice", "guess", address));
    }
    assert_fails(TOO_MANY, sign_in("alice", PASSWORD, HERE));
}

static void test_a_network_has_many_addresses(void **state)
{
    (void)state;
    char address[48];
    world_add_alice(&w);
    for (int i = 0; i < 10; i++) {
        snprintf(address, sizeof address, "2001:db8:0:1::%x", i);
        assert_fails(UNAUTHENTICATED, sign_in("alice", "guess", address));
    }
    assert_fails(TOO_MANY, sign_in("alice", PASSWORD, "2001:db8:0:1:ffff::1"));
    assert_ok(sign_in("alice", PASSWORD, "2001:db8:0:2::1"));
}

static atomic_int guesses_tried, guesses_refused;

static void *guess_once(void *context)
{
    struct mln_principal out;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
    struct mln_result r = mln_signin_password(w.signin, MLN_S("alice"), MLN_S("guess"), MLN_S(HERE), arena, &out);
    atomic_fetch_add(r.code == MLN_E_UNAUTHENTICATED ? &guesses_tried : &guesses_refused, 1);
    return context;
}

/* The limit counts what was tried, however many come at the same moment. */
static void test_many_guesses_at_once_are_not_more_guesses(void **state)
{
    (void)state;
    enum { GUESSERS = 12, ROUNDS = 3 };
    pthread_t threads[GUESSERS];
    world_add_alice(&w);
    atomic_store(&guesses_tried, 0);
    atomic_store(&guesses_refused, 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < GUESSERS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, guess_once, NULL), 0);
        for (int i = 0; i < GUESSERS; i++)
            pthread_join(threads[i], NULL);
    }
    assert_in_range(atomic_load(&guesses_tried), 1, 11); /* 10, and one that ran beside the tenth */
    assert_int_equal(atomic_load(&guesses_tried) + atomic_load(&guesses_refused), GUESSERS * ROUNDS);
}

static void test_guessing_names_locks_the_address(void **state)
{
    (void)state;
    char name[16];
    world_add_alice(&w);
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "user%d", i);
        assert_fails(UNAUTHENTICATED, sign_in(name, "guess", HERE));
    }
    assert_fails(TOO_MANY, sign_in("alice", PASSWORD, HERE));
    assert_ok(sign_in("alice", PASSWORD, "198.51.100.7"));
}

static void test_passwords_have_a_length(void **state)
{
    (void)state;
    struct mln_principal alice = {.generation = 1};
    assert_fails(INVALID, mln_signin_set_password(w.signin, &alice, MLN_S("short"), w.arena));
    assert_int_equal(alice.generation, 1);
}

static struct mln_principal add_robot(struct mln_buf *secret, int64_t expires_ms)
{
    struct mln_principal robot = {
        .id = mln_str_c(ROBOT), .kind = MLN_PRINCIPAL_SERVICE, .name = MLN_S("robot"), .generation = 1};
    assert_ok(mln_signin_add_secret(w.signin, &robot, expires_ms, w.arena, secret));
    world_put(&w, &robot);
    return robot;
}

static struct mln_result by_secret(struct mln_str secret)
{
    struct mln_principal out;
    return mln_signin_secret(w.signin, mln_str_c(ROBOT), secret, mln_str_c(HERE), w.arena, &out);
}

static void test_secrets_of_services_overlap_and_expire(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf first = MLN_BUF_SECRET(64), second = MLN_BUF_SECRET(64), third = MLN_BUF_SECRET(64);
    struct mln_principal robot = add_robot(&first, w.now_ms + MINUTE_MS);
    assert_int_equal(first.n, 43);
    assert_ok(mln_signin_add_secret(w.signin, &robot, 0, w.arena, &second));
    assert_fails(CONFLICT, mln_signin_add_secret(w.signin, &robot, 0, w.arena, &third));
    world_put(&w, &robot);
    assert_ok(by_secret(mln_buf_str(&first)));
    assert_ok(by_secret(mln_buf_str(&second)));
    w.now_ms += MINUTE_MS;
    assert_fails(UNAUTHENTICATED, by_secret(mln_buf_str(&first)));
    assert_ok(by_secret(mln_buf_str(&second)));
    assert_fails(UNAUTHENTICATED, sign_in("robot", second.p, HERE));
}

/* ---- assertions ---- */

static struct mln_key *robot_key;
static const char thumbprint[] = "00112233445566778899AABBCCDDEEFF00112233";
static const char x5t[] = "ABEiM0RVZneImaq7zN3u_wARIjM"; /* the same in base64url */
#define AUDIENCE "https://merlon.example/adfs/oauth2/token"

static void add_robot_with_certificate(void)
{
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *public = NULL;
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(4096);
    assert_ok(mln_key_generate(&robot_key));
    assert_ok(mln_key_public(robot_key, &public));
    assert_ok(mln_public_key_to_pem(public, &pem));
    struct mln_principal robot = {.id = mln_str_c(ROBOT),
                                  .kind = MLN_PRINCIPAL_SERVICE,
                                  .name = MLN_S("robot"),
                                  .generation = 1,
                                  .n_certificates = 1};
    robot.certificates[0] = (struct mln_principal_certificate){
        .thumbprint = mln_str_c(thumbprint), .public_key = mln_buf_str(&pem), .expires_ms = w.now_ms + 600 * MINUTE_MS};
    world_put(&w, &robot);
}

static struct mln_result by_assertion_as(const char *client, const char *header, const char *claims)
{
    static const struct mln_str audiences[] = {{AUDIENCE, sizeof AUDIENCE - 1}};
    MLN_BUF_CLEANUP struct mln_buf token = MLN_BUF(MLN_JWT_MAX_BYTES);
    struct mln_principal out;
    assert_ok(mln_jwt_sign(robot_key, mln_str_c(header), mln_str_c(claims), &token));
    return mln_signin_assertion(w.signin, mln_str_c(client), mln_buf_str(&token), audiences, 1, mln_str_c(HERE),
                                w.arena, &out);
}

static struct mln_result by_assertion(const char *header, const char *claims)
{
    return by_assertion_as(ROBOT, header, claims);
}

static void header_text(char out[256])
{
    snprintf(out, 256, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"x5t\":\"%s\"}", x5t);
}

/* Claims that hold, with one of them replaced. */
static void claims_text(char out[512], const char *name, const char *value)
{
    char now[32], later[32];
    snprintf(now, sizeof now, "%lld.25", (long long)(w.now_ms / 1000));
    snprintf(later, sizeof later, "%lld.5", (long long)(w.now_ms / 1000 + 600));
    const char *const claims[][2] = {{"aud", "\"" AUDIENCE "\""},
                                     {"iss", "\"" ROBOT "\""},
                                     {"sub", "\"" ROBOT "\""},
                                     {"jti", "\"id-1\""},
                                     {"nbf", now},
                                     {"exp", later}};
    int n = snprintf(out, 512, "{");
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        n += snprintf(out + n, 512 - (size_t)n, "%s\"%s\":%s", i ? "," : "", claims[i][0],
                      strcmp(claims[i][0], name) ? claims[i][1] : value);
    snprintf(out + n, 512 - (size_t)n, "}");
}

static void test_an_assertion_works_once(void **state)
{
    (void)state;
    char header[256], claims[512];
    add_robot_with_certificate();
    header_text(header);
    claims_text(claims, "", "");
    assert_ok(by_assertion(header, claims));
    assert_fails(UNAUTHENTICATED, by_assertion(header, claims));
    assert_error_has("used before");
    assert_fails(UNAUTHENTICATED, by_assertion_as("BBBBBBBB-0000-4000-8000-000000000002", header, claims));
    assert_error_has("used before");
    claims_text(claims, "jti", "\"id-2\"");
    assert_ok(by_assertion(header, claims));
    mln_key_free(robot_key);
}

static void test_an_assertion_that_does_not_hold_is_refused(void **state)
{
    (void)state;
    char header[256], claims[512], past[32], far[32], future[32];
    add_robot_with_certificate();
    header_text(header);
    snprintf(past, sizeof past, "%lld", (long long)(w.now_ms / 1000));
    snprintf(far, sizeof far, "%lld", (long long)(w.now_ms / 1000 + 7200));
    snprintf(future, sizeof future, "%lld", (long long)(w.now_ms / 1000 + 1200));
    const char *const wrong[][2] = {
        {"aud", "\"https://other\""}, {"iss", "\"other\""}, {"sub", "\"other\""}, {"exp", past}, {"exp", far},
        {"exp", "\"soon\""},          {"nbf", future},      {"jti", "\"\""},      {"jti", "7"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        claims_text(claims, wrong[i][0], wrong[i][1]);
        struct mln_result r = by_assertion(header, claims);
        if (r.code != MLN_E_UNAUTHENTICATED)
            fail_msg("%s = %s passed as %s", wrong[i][0], wrong[i][1], mln_code_name(r.code));
    }
    claims_text(claims, "", "");
    assert_fails(UNAUTHENTICATED, by_assertion("{\"alg\":\"ES256\",\"x5t\":\"AAAA\"}", claims));
    assert_fails(UNAUTHENTICATED, by_assertion("{\"alg\":\"ES256\"}", claims));
    mln_key_free(robot_key);
}

static void test_an_assertion_of_another_key_is_refused(void **state)
{
    (void)state;
    char header[256], claims[512];
    add_robot_with_certificate();
    mln_key_free(robot_key);
    assert_ok(mln_key_generate(&robot_key));
    header_text(header);
    claims_text(claims, "", "");
    assert_fails(UNAUTHENTICATED, by_assertion(header, claims));
    mln_key_free(robot_key);
}

/* ---- refresh tokens ---- */

static struct mln_result trade(const struct mln_buf *token, const char *client, struct mln_buf *next)
{
    struct mln_principal out;
    mln_buf_clear(next);
    return mln_signin_refresh(w.signin, mln_buf_str(token), mln_str_c(client), w.arena, &out, next);
}

static void test_refresh_tokens_are_traded_on(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf first = MLN_BUF_SECRET(256), second = MLN_BUF_SECRET(256),
                                   third = MLN_BUF_SECRET(256);
    struct mln_principal alice = world_add_alice(&w);
    assert_ok(mln_signin_refresh_start(w.signin, &alice, mln_str_c(CLIENT), &first));
    assert_fails(UNAUTHENTICATED, trade(&first, "other-client", &second));
    assert_ok(trade(&first, CLIENT, &second));
    assert_false(mln_str_eq(mln_buf_str(&first), mln_buf_str(&second)));
    assert_ok(trade(&second, CLIENT, &third));
}

static void test_a_stolen_refresh_token_ends_its_family(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf first = MLN_BUF_SECRET(256), second = MLN_BUF_SECRET(256),
                                   third = MLN_BUF_SECRET(256);
    struct mln_principal alice = world_add_alice(&w);
    assert_ok(mln_signin_refresh_start(w.signin, &alice, mln_str_c(CLIENT), &first));
    assert_ok(trade(&first, CLIENT, &second));
    assert_ok(trade(&first, CLIENT, &third)); /* two processes of one client, at the same time */
    w.now_ms += 2 * MINUTE_MS;
    assert_fails(UNAUTHENTICATED, trade(&first, CLIENT, &third));
    assert_fails(UNAUTHENTICATED, trade(&second, CLIENT, &third));
}

static const struct mln_buf *shared_token;

static void *trade_shared(void *context)
{
    struct mln_principal out;
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
    MLN_BUF_CLEANUP struct mln_buf next = MLN_BUF_SECRET(256);
    struct mln_result r = mln_signin_refresh(w.signin, mln_buf_str(shared_token), MLN_S(CLIENT), arena, &out, &next);
    *(bool *)context = mln_ok(r) && next.n > 0;
    return NULL;
}

static void test_two_trades_at_the_same_moment_are_both_served(void **state)
{
    (void)state;
    struct mln_principal alice = world_add_alice(&w);
    for (int round = 0; round < 20; round++) {
        MLN_BUF_CLEANUP struct mln_buf first = MLN_BUF_SECRET(256);
        pthread_t threads[2];
        bool served[2] = {false, false};
        assert_ok(mln_signin_refresh_start(w.signin, &alice, mln_str_c(CLIENT), &first));
        shared_token = &first;
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, trade_shared, &served[i]), 0);
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        assert_true(served[0] && served[1]);
    }
}

static void test_refresh_tokens_end_with_the_password_and_by_time(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf token = MLN_BUF_SECRET(256), next = MLN_BUF_SECRET(256);
    struct mln_principal alice = world_add_alice(&w);
    assert_ok(mln_signin_refresh_start(w.signin, &alice, mln_str_c(CLIENT), &token));
    assert_ok(mln_signin_set_password(w.signin, &alice, MLN_S("another long password"), w.arena));
    world_put(&w, &alice);
    assert_fails(UNAUTHENTICATED, trade(&token, CLIENT, &next));
    mln_buf_clear(&token);
    assert_ok(mln_signin_refresh_start(w.signin, &alice, mln_str_c(CLIENT), &token));
    w.now_ms += 31 * 24 * 60 * MINUTE_MS;
    assert_fails(UNAUTHENTICATED, trade(&token, CLIENT, &next));
    mln_buf_clear(&token);
    assert_ok(mln_buf_append(&token, MLN_S("garbage")));
    assert_fails(UNAUTHENTICATED, trade(&token, CLIENT, &next));
}

/* ---- device codes ---- */

static struct mln_result poll(const struct mln_buf *device, const char *client)
{
    struct mln_principal out;
    return mln_signin_device_poll(w.signin, mln_buf_str(device), mln_str_c(client), w.arena, &out);
}

static struct mln_result decide(const char *code, bool approve)
{
    return mln_signin_device_decide(w.signin, mln_str_c(code), mln_str_c(HERE), mln_str_c(ALICE), approve, w.arena);
}

static void test_a_device_waits_for_a_person(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf device = MLN_BUF_SECRET(64);
    char code[MLN_USER_CODE_TEXT], typed[16];
    struct mln_grant grant;
    world_add_alice(&w);
    assert_ok(mln_signin_device_start(w.signin, mln_str_c(CLIENT), mln_str_c(HERE), &device, code));
    assert_int_equal(strlen(code), 9);
    assert_int_equal(code[4], '-');
    assert_fails(CONFLICT, poll(&device, CLIENT));
    assert_fails(NOT_FOUND, poll(&device, "other"));
    snprintf(typed, sizeof typed, " %c%.3s %.4s", code[0] | 0x20, code + 1, code + 5);
    assert_ok(mln_signin_device_find(w.signin, mln_str_c(typed), mln_str_c(HERE), w.arena, &grant));
    assert_str(grant.client_id, CLIENT);
    assert_str(grant.address, HERE);
    assert_ok(decide(code, true));
    assert_fails(NOT_FOUND, decide(code, true));
    assert_ok(poll(&device, CLIENT));
    assert_fails(NOT_FOUND, poll(&device, CLIENT));
}

static void test_a_device_is_denied_or_too_late(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf denied = MLN_BUF_SECRET(64), late = MLN_BUF_SECRET(64);
    char code[MLN_USER_CODE_TEXT];
    world_add_alice(&w);
    assert_ok(mln_signin_device_start(w.signin, mln_str_c(CLIENT), mln_str_c(HERE), &denied, code));
    assert_ok(decide(code, false));
    assert_fails(FORBIDDEN, poll(&denied, CLIENT));
    assert_ok(mln_signin_device_start(w.signin, mln_str_c(CLIENT), mln_str_c(HERE), &late, code));
    w.now_ms += 16 * MINUTE_MS;
    assert_fails(NOT_FOUND, decide(code, true));
    assert_fails(NOT_FOUND, poll(&late, CLIENT));
}

static void test_guessing_codes_locks_the_address(void **state)
{
    (void)state;
    struct mln_grant grant;
    for (int i = 0; i < 30; i++)
        assert_fails(NOT_FOUND, mln_signin_device_find(w.signin, MLN_S("AAAA-AAAA"), mln_str_c(HERE), w.arena, &grant));
    assert_fails(TOO_MANY, mln_signin_device_find(w.signin, MLN_S("AAAA-AAAA"), mln_str_c(HERE), w.arena, &grant));
}

static void test_one_network_cannot_take_all_codes(void **state)
{
    (void)state;
    char code[MLN_USER_CODE_TEXT];
    for (int i = 0; i < 31; i++) {
        MLN_BUF_CLEANUP struct mln_buf device = MLN_BUF_SECRET(64);
        struct mln_result r = mln_signin_device_start(w.signin, mln_str_c(CLIENT), mln_str_c(HERE), &device, code);
        assert_int_equal(r.code, i < 30 ? MLN_E_OK : MLN_E_TOO_MANY);
    }
    MLN_BUF_CLEANUP struct mln_buf device = MLN_BUF_SECRET(64);
    assert_ok(mln_signin_device_start(w.signin, mln_str_c(CLIENT), MLN_S("198.51.100.7"), &device, code));
}

/* ---- authorization codes ---- */

static struct mln_code_request good_request(void)
{
    return (struct mln_code_request){.client_id = mln_str_c(CLIENT),
                                     .redirect_uri = MLN_S(REDIRECT),
                                     .challenge = MLN_S(CHALLENGE),
                                     .nonce = MLN_S("n1")};
}

static void start_code(struct mln_buf *code)
{
    struct mln_code_request request = good_request();
    mln_buf_clear(code);
    assert_ok(mln_signin_code_start(w.signin, &request, mln_str_c(ALICE), w.arena, code));
}

static struct mln_result redeem(const struct mln_buf *code, const char *client, const char *redirect,
                                const char *verifier)
{
    struct mln_principal out;
    struct mln_str nonce;
    struct mln_result r = mln_signin_code(w.signin, mln_buf_str(code), mln_str_c(client), mln_str_c(redirect),
                                          mln_str_c(verifier), w.arena, &out, &nonce);
    if (mln_ok(r))
        assert_str(nonce, "n1");
    return r;
}

static void test_a_code_needs_its_verifier_and_works_once(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf code = MLN_BUF_SECRET(64);
    world_add_alice(&w);
    start_code(&code);
    assert_ok(redeem(&code, CLIENT, REDIRECT, VERIFIER));
    assert_fails(UNAUTHENTICATED, redeem(&code, CLIENT, REDIRECT, VERIFIER));
    start_code(&code);
    assert_fails(UNAUTHENTICATED, redeem(&code, CLIENT, REDIRECT, "eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    assert_fails(UNAUTHENTICATED, redeem(&code, CLIENT, REDIRECT, VERIFIER)); /* it was shown to somebody else */
    start_code(&code);
    assert_fails(UNAUTHENTICATED, redeem(&code, "other", REDIRECT, VERIFIER));
    start_code(&code);
    assert_fails(UNAUTHENTICATED, redeem(&code, CLIENT, "http://localhost:1/", VERIFIER));
    start_code(&code);
    w.now_ms += 6 * MINUTE_MS;
    assert_fails(UNAUTHENTICATED, redeem(&code, CLIENT, REDIRECT, VERIFIER));
}

static void test_codes_go_to_this_machine_only(void **state)
{
    (void)state;
    static const struct {
        const char *redirect;
        bool good;
    } cases[] = {
        {"http://localhost", true},
        {"http://localhost:8400", true},
        {"http://localhost:8400/", true},
        {"http://127.0.0.1:1/back?x=1", true},
        {"http://[::1]:9/", true},
        {"http://localhost.evil.example/", false},
        {"http://localhost:8400@evil/", false},
        {"http://localhost:evil/", false},
        {"https://localhost/", false},
        {"http://evil.example/", false},
        {"http://127.0.0.1.evil/", false},
        {"javascript:alert(1)", false},
        {"http://localhost/#x", false},
        {"http://localhost/\r\nX: y", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mln_code_request request = good_request();
        request.redirect_uri = mln_str_c(cases[i].redirect);
        if (mln_ok(mln_signin_code_check(&request)) != cases[i].good)
            fail_msg("%s: expected %d", cases[i].redirect, cases[i].good);
    }
    struct mln_code_request request = good_request();
    request.challenge = MLN_S("");
    assert_fails(INVALID, mln_signin_code_check(&request));
}

/* ---- sessions ---- */

static void test_a_session_lasts_until_it_is_ended(void **state)
{
    (void)state;
    MLN_BUF_CLEANUP struct mln_buf cookie = MLN_BUF_SECRET(64);
    struct mln_principal alice = world_add_alice(&w);
    struct mln_caller caller;
    struct mln_str csrf, again;
    assert_ok(mln_signin_session_start(w.signin, &alice, w.arena, &cookie, &csrf));
    assert_ok(mln_signin_session(w.signin, mln_buf_str(&cookie), w.arena, &caller, &again));
    assert_str(caller.name, "alice");
    assert_str(caller.how, "cookie");
    assert_true(mln_str_eq(csrf, again));
    assert_false(mln_str_eq(csrf, mln_buf_str(&cookie)));
    assert_ok(mln_signin_session_end(w.signin, mln_buf_str(&cookie), w.arena));
    assert_ok(mln_signin_session_end(w.signin, mln_buf_str(&cookie), w.arena));
    assert_fails(UNAUTHENTICATED, mln_signin_session(w.signin, mln_buf_str(&cookie), w.arena, &caller, &again));
    mln_buf_clear(&cookie);
    assert_ok(mln_signin_session_start(w.signin, &alice, w.arena, &cookie, &csrf));
    w.now_ms += 12 * 60 * MINUTE_MS;
    assert_fails(UNAUTHENTICATED, mln_signin_session(w.signin, mln_buf_str(&cookie), w.arena, &caller, &again));
    size_t removed;
    assert_ok(mln_signin_sweep(w.signin, &removed));
    assert_int_equal(removed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(test_the_password_decides),
        in_world(test_guessing_locks_the_name_there_for_a_while),
        in_world(test_guessing_from_many_places_locks_the_name),
        in_world(test_a_network_has_many_addresses),
        in_world(test_many_guesses_at_once_are_not_more_guesses),
        in_world(test_guessing_names_locks_the_address),
        in_world(test_passwords_have_a_length),
        in_world(test_secrets_of_services_overlap_and_expire),
        in_world(test_an_assertion_works_once),
        in_world(test_an_assertion_that_does_not_hold_is_refused),
        in_world(test_an_assertion_of_another_key_is_refused),
        in_world(test_refresh_tokens_are_traded_on),
        in_world(test_a_stolen_refresh_token_ends_its_family),
        in_world(test_two_trades_at_the_same_moment_are_both_served),
        in_world(test_refresh_tokens_end_with_the_password_and_by_time),
        in_world(test_a_device_waits_for_a_person),
        in_world(test_a_device_is_denied_or_too_late),
        in_world(test_guessing_codes_locks_the_address),
        in_world(test_one_network_cannot_take_all_codes),
        in_world(test_a_code_needs_its_verifier_and_works_once),
        in_world(test_codes_go_to_this_machine_only),
        in_world(test_a_session_lasts_until_it_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
