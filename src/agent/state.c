#include "agent/state.h"

#include "crypto/random.h"
#include "os/file.h"
#include "json/fields.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

enum { CONFIG_BYTES = 64 << 10, IDENTITY_BYTES = 64 << 10 };

#define MACHINE_ID_FILE "machine-id"

static struct mln_result path_of(const char *directory, const char *name, char out[PATH_MAX])
{
    int n = snprintf(out, PATH_MAX, "%s/%s", directory, name);
    return n > 0 && n < PATH_MAX ? MLN_OK : mln_fail(MLN_E_INVALID, "the state directory's name is too long");
}

struct mln_result mln_state_read(const char *directory, const char *name, struct mln_buf *out)
{
    char path[PATH_MAX];
    MLN_TRY(path_of(directory, name, path));
    return mln_file_read(path, MLN_FILE_NOLINK, out);
}

struct mln_result mln_state_write(const char *directory, const char *name, struct mln_str content)
{
    char path[PATH_MAX];
    MLN_TRY(path_of(directory, name, path));
    return mln_file_write(path, content, 0600);
}

struct mln_result mln_state_remove(const char *directory, const char *name)
{
    char path[PATH_MAX];
    MLN_TRY(path_of(directory, name, path));
    if (unlink(path) != 0 && errno != ENOENT)
        return mln_fail_errno(errno, "%s", path);
    return MLN_OK;
}

struct mln_result mln_state_give_to(const char *directory, uid_t uid, gid_t gid)
{
    static const char *const names[] = {MLN_STATE_CONFIG, MLN_STATE_IDENTITY, MLN_STATE_PENDING, MLN_STATE_CA,
                                        MLN_STATE_ACKED,  MLN_STATE_STATUS,   MACHINE_ID_FILE};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        MLN_TRY(path_of(directory, names[i], path));
        if (lchown(path, uid, gid) != 0 && errno != ENOENT)
            return mln_fail_errno(errno, "giving %s away", path);
    }
    if (lchown(directory, uid, gid) != 0)
        return mln_fail_errno(errno, "giving %s away", directory);
    return MLN_OK;
}

/* ---- configuration ---- */

static const struct mln_field config_fields[] = {
    MLN_FIELD(struct mln_agent_config, server, "server", STR, REQUIRED, NULL, "https://host:port"),
    MLN_FIELD(struct mln_agent_config, proxy, "proxy", STR, OPTIONAL, NULL, "http://host:port"),
    MLN_FIELD(struct mln_agent_config, name, "name", STR, REQUIRED, NULL, "the machine's name"),
    MLN_FIELD(struct mln_agent_config, machine_id, "machineId", STR, REQUIRED, NULL, "given by the server"),
    MLN_FIELD(struct mln_agent_config, resource_id, "resourceId", STR, REQUIRED, NULL, "of the machine"),
    MLN_FIELD(struct mln_agent_config, heartbeat_seconds, "heartbeatSeconds", U32, OPTIONAL, NULL, "between beats"),
    MLN_FIELD(struct mln_agent_config, report_seconds, "reportSeconds", U32, OPTIONAL, NULL, "between reports at most"),
};
enum { CONFIG_FIELDS = sizeof config_fields / sizeof *config_fields };

struct mln_result mln_state_config(const char *directory, struct mln_arena *arena, struct mln_agent_config *out)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(CONFIG_BYTES);
    const struct mln_json *json;
    struct mln_result r = mln_state_read(directory, MLN_STATE_CONFIG, &text);
    if (r.code == MLN_E_NOT_FOUND)
        return mln_fail(MLN_E_NOT_FOUND, "this machine is not enrolled (no %s in %s)", MLN_STATE_CONFIG, directory);
    MLN_TRY(r);
    *out = (struct mln_agent_config){.heartbeat_seconds = 30, .report_seconds = 3600};
    MLN_TRY(mln_json_parse(arena, mln_buf_str(&text), CONFIG_BYTES, &json));
    r = mln_json_read_fields(json, config_fields, CONFIG_FIELDS, MLN_JSON_UNKNOWN_REFUSED, out);
    return mln_ok(r) ? MLN_OK : mln_fail_at(r, "%s/%s", directory, MLN_STATE_CONFIG);
}

struct mln_result mln_state_put_config(const char *directory, const struct mln_agent_config *config)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(CONFIG_BYTES);
    struct mln_json_writer w = mln_json_writer(&text);
    w.pretty = true;
    mln_json_begin_object(&w);
    mln_json_put_fields(&w, config_fields, CONFIG_FIELDS, config);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    return mln_state_write(directory, MLN_STATE_CONFIG, mln_buf_str(&text));
}

/* ---- identity ---- */

struct mln_result mln_state_identity(const char *directory, struct mln_key **key, struct mln_cert **cert)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF_SECRET(IDENTITY_BYTES);
    MLN_CLEANUP(mln_key_free) struct mln_key *read = NULL;
    MLN_TRY(mln_state_read(directory, MLN_STATE_IDENTITY, &text));
    MLN_TRY(mln_key_from_pem(mln_buf_str(&text), &read));
    MLN_TRY(mln_cert_from_pem(mln_buf_str(&text), cert));
    *key = MLN_TAKE(read);
    return MLN_OK;
}

struct mln_result mln_state_put_identity(const char *directory, const struct mln_key *key, const struct mln_cert *cert)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF_SECRET(IDENTITY_BYTES);
    MLN_TRY(mln_key_to_pem(key, &text));
    MLN_TRY(mln_cert_to_pem(cert, &text));
    return mln_state_write(directory, MLN_STATE_IDENTITY, mln_buf_str(&text));
}

/* ---- the machine ---- */

static struct mln_result random_id(const char *directory, struct mln_buf *out)
{
    struct mln_uuid uuid;
    char text[MLN_UUID_TEXT];
    struct mln_result r = mln_state_read(directory, MACHINE_ID_FILE, out);
    if (r.code != MLN_E_NOT_FOUND)
        return r;
    MLN_TRY(mln_uuid_random(&uuid));
    MLN_TRY(mln_buf_append(out, mln_uuid_text(&uuid, text)));
    return mln_state_write(directory, MACHINE_ID_FILE, mln_buf_str(out));
}

/* The id itself is confidential (machine-id(5)): only a digest of it for this one purpose is told. */
struct mln_result mln_state_machine_digest(const char *directory, char out[MLN_SHA256_HEX])
{
    MLN_BUF_CLEANUP struct mln_buf id = MLN_BUF_SECRET(256), text = MLN_BUF_SECRET(512);
    if (!mln_ok(mln_file_read("/etc/machine-id", 0, &id)) || !mln_str_trim(mln_buf_str(&id)).n) {
        mln_buf_clear(&id);
        MLN_TRY(random_id(directory, &id));
    }
    MLN_TRY(mln_buf_append(&text, MLN_S("merlon machine ")));
    MLN_TRY(mln_buf_append(&text, mln_str_trim(mln_buf_str(&id))));
    return mln_sha256_hex(mln_buf_str(&text), out);
}
