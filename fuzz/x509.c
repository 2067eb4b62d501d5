/* Certificates, requests and keys of strangers: whatever is accepted can be described, written, and read again, and a
   certificate that we have not issued is refused. */
#include "crypto/ca.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mln_ca *ca;

static void setup(void)
{
    if (!mln_ok(mln_ca_create(MLN_S("fuzz"), (struct mln_validity){0, INT64_C(4000000000000)}, &ca)))
        abort();
}

static void certificate(struct mln_cert *cert)
{
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 18);
    MLN_BUF_CLEANUP struct mln_buf pem = MLN_BUF(4 * MLN_CERT_PEM_MAX_BYTES);
    MLN_CLEANUP(mln_public_key_free) struct mln_public_key *key = NULL;
    struct mln_cert_info info;
    const struct mln_cert *authority = mln_ca_cert(ca);
    MLN_IGNORE(mln_cert_describe(cert, arena, &info));
    MLN_IGNORE(mln_cert_public_key(cert, &key));
    if (!mln_ok(mln_cert_to_pem(cert, &pem)))
        abort();
    if (mln_ok(mln_cert_verify_client(cert, &authority, 1, INT64_C(1795003200000))))
        abort();
}

static void request(const struct mln_csr *csr)
{
    MLN_CLEANUP(mln_cert_free) struct mln_cert *issued = NULL;
    const struct mln_cert *authority = mln_ca_cert(ca);
    struct mln_validity validity = {INT64_C(1795000000000), INT64_C(1796000000000)};
    if (!mln_ok(mln_ca_issue_client(ca, csr, MLN_S("machine"), validity, &issued)) ||
        !mln_ok(mln_cert_verify_client(issued, &authority, 1, INT64_C(1795003200000))))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_str text = {(const char *)data, size};
    MLN_CLEANUP(mln_cert_free) struct mln_cert *from_pem = NULL;
    MLN_CLEANUP(mln_cert_free) struct mln_cert *from_der = NULL;
    MLN_CLEANUP(mln_csr_free) struct mln_csr *csr = NULL;
    MLN_CLEANUP(mln_key_free) struct mln_key *key = NULL;
    if (!ca)
        setup();
    if (mln_ok(mln_cert_from_pem(text, &from_pem)))
        certificate(from_pem);
    if (mln_ok(mln_cert_from_der(text, &from_der)))
        certificate(from_der);
    if (mln_ok(mln_csr_from_pem(text, &csr)))
        request(csr);
    MLN_IGNORE(mln_key_from_pem(text, &key));
    return 0;
}
