#include "check.h"

#include "agent/linux/accounts.h"
#include "agent/linux/pam.h"
#include "arena.h"

static void passwd_lines_become_users(void **state)
{
    (void)state;
    struct mln_str rest = MLN_S("root:x:0:0:Super User,,,:/root:/bin/bash\n"
                                "+::::::\n"
                                "broken:x:0\n"
                                "toolarge:x:4294967296:0::/:/bin/sh\n"
                                "word:x:zero:0::/:/bin/sh\n"
                                ":x:1:1::/:/bin/sh\n"
                                "many:x:1:1::/:/bin/sh:more\n"
                                "# comment:x:1:1::/:\n"
                                "nobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin");
    struct mln_passwd user;
    assert_true(mln_passwd_next(&rest, &user));
    assert_str(user.name, "root");
    assert_int_equal(user.uid, 0);
    assert_str(user.gecos, "Super User,,,");
    assert_str(user.home, "/root");
    assert_true(mln_passwd_next(&rest, &user));
    assert_str(user.name, "nobody");
    assert_str(user.password, "*");
    assert_int_equal(user.gid, 65534);
    assert_str(user.shell, "/usr/sbin/nologin");
    assert_false(mln_passwd_next(&rest, &user));
}

static void shadow_days_may_be_absent(void **state)
{
    (void)state;
    struct mln_str rest = MLN_S("a:$y$j9T$x:19000:1:90:7:30:20000:\nb::::::::\nc:!:x:::::\nshort:!\n");
    struct mln_shadow shadow;
    assert_true(mln_shadow_next(&rest, &shadow));
    assert_int_equal(shadow.last_change, 19000);
    assert_int_equal(shadow.min, 1);
    assert_int_equal(shadow.max, 90);
    assert_int_equal(shadow.warn, 7);
    assert_int_equal(shadow.inactive, 30);
    assert_int_equal(shadow.expire, 20000);
    assert_true(mln_shadow_next(&rest, &shadow));
    assert_int_equal(shadow.hash.n, 0);
    assert_int_equal(shadow.max, -1);
    assert_true(mln_shadow_next(&rest, &shadow));
    assert_int_equal(shadow.last_change, -1);
    assert_true(mln_shadow_next(&rest, &shadow));
    assert_str(shadow.name, "short");
    assert_int_equal(shadow.expire, -1);
    assert_false(mln_shadow_next(&rest, &shadow));
}

static void groups_have_members(void **state)
{
    (void)state;
    struct mln_str rest = MLN_S("sudo:x:27:anna,ben\nbad:x:x:\n-gone:x:1:\nempty:x:99:\n");
    struct mln_group group;
    assert_true(mln_group_next(&rest, &group));
    assert_str(group.members, "anna,ben");
    assert_int_equal(group.gid, 27);
    assert_true(mln_group_next(&rest, &group));
    assert_str(group.name, "empty");
    assert_false(mln_group_next(&rest, &group));
    rest = MLN_S("adm:!:root:anna\n");
    assert_true(mln_gshadow_next(&rest, &group));
    assert_str(group.members, "anna");
}

static void hashes_tell_their_algorithm_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *hash, *algorithm;
        bool locked;
    } cases[] = {
        {"$y$j9T$salt$hash", "yescrypt", false},
        {"$6$salt$hash", "sha512", false},
        {"$5$s$h", "sha256", false},
        {"$2b$10$x", "bcrypt", false},
        {"$1$s$h", "md5", false},
        {"!$6$salt$hash", "sha512", true},
        {"!!", "", true},
        {"*", "", true},
        {"", "", false},
        {"abcdefghijklm", "des", false},
        {"$9$new", "unknown", false},
        {"x", "", false},
        {"_J9..CCCCXBrJUJV154M", "bsdi-des", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(mln_password_algorithm(mln_str_c(cases[i].hash)), cases[i].algorithm);
        assert_int_equal(mln_password_locked(mln_str_c(cases[i].hash)), cases[i].locked);
    }
}

static void shells_let_in_or_not(void **state)
{
    (void)state;
    static const char *const in[] = {"", "/bin/bash", "/usr/bin/zsh", "sh"};
    static const char *const out[] = {"/usr/sbin/nologin", "/bin/false", "/bin/sync", "nologin", "/usr/bin/true"};
    for (size_t i = 0; i < sizeof in / sizeof *in; i++)
        assert_true(mln_shell_is_login(mln_str_c(in[i])));
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        assert_false(mln_shell_is_login(mln_str_c(out[i])));
}

/* ---- pam ---- */

static void pam_lines_become_entries(void **state)
{
    (void)state;
    struct mln_pam pam = {0};
    assert_ok(mln_pam_parse(MLN_S("common-auth"),
                            MLN_S("# comment\n"
                                  "auth [success=1 default=ignore]  pam_unix.so nullok  # yes\n"
                                  "-session optional /lib/security/pam_systemd.so\n"
                                  "@include common-account\n"
                                  "AUTH\trequired pam_wheel.so \\\n  use_uid group=admins\n"
                                  "nonsense required pam_x.so\n"
                                  "auth required\n"
                                  "password requisite pam_pwquality.so [retry=3 minlen=14]\n"),
                            arena, &pam));
    assert_int_equal(pam.entries.n, 5);
    assert_str(pam.entries.at[0].control, "[success=1 default=ignore]");
    assert_str(pam.entries.at[0].module, "pam_unix.so");
    assert_str(joined(pam.entries.at[0].arguments.at, pam.entries.at[0].arguments.n), "nullok");
    assert_str(pam.entries.at[1].type, "session");
    assert_str(pam.entries.at[1].module, "pam_systemd.so");
    assert_str(pam.entries.at[2].type, "");
    assert_str(pam.entries.at[2].control, "include");
    assert_str(pam.entries.at[2].module, "common-account");
    assert_str(pam.entries.at[3].type, "auth");
    assert_str(joined(pam.entries.at[3].arguments.at, pam.entries.at[3].arguments.n), "use_uid|group=admins");
    assert_str(joined(pam.entries.at[4].arguments.at, pam.entries.at[4].arguments.n), "retry=3 minlen=14");
}

static void arguments_have_values(void **state)
{
    (void)state;
    struct mln_pam pam = {0};
    assert_ok(mln_pam_parse(MLN_S("s"), MLN_S("auth required pam_x.so debug deny=3 deny=5 empty="), arena, &pam));
    const struct mln_pam_entry *entry = &pam.entries.at[0];
    assert_str(mln_pam_argument(entry, "deny"), "5");
    assert_str(mln_pam_argument(entry, "debug"), "");
    assert_non_null(mln_pam_argument(entry, "debug").p);
    assert_non_null(mln_pam_argument(entry, "empty").p);
    assert_null(mln_pam_argument(entry, "absent").p);
}

static void too_many_entries_are_counted(void **state)
{
    (void)state;
    struct mln_pam pam = {0};
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(1 << 20);
    for (int i = 0; i < MLN_PAM_MAX_ENTRIES + 5; i++)
        assert_ok(mln_buf_append(&text, MLN_S("auth required pam_x.so\n")));
    assert_ok(mln_pam_parse(MLN_S("s"), mln_buf_str(&text), arena, &pam));
    assert_int_equal(pam.entries.n, MLN_PAM_MAX_ENTRIES);
    assert_int_equal(pam.left_out, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(passwd_lines_become_users), with_arena(shadow_days_may_be_absent),
        with_arena(groups_have_members),       with_arena(hashes_tell_their_algorithm_and_nothing_else),
        with_arena(shells_let_in_or_not),      with_arena(pam_lines_become_entries),
        with_arena(arguments_have_values),     with_arena(too_many_entries_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
