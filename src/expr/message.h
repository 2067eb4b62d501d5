/*
 * The well-known messages of protocol buffers that CEL turns into values of its own: Int32Value{value: 1} is the int 1,
 * Timestamp{seconds: 1} a timestamp. There are no other messages.
 */
#ifndef MLN_EXPR_MESSAGE_H
#define MLN_EXPR_MESSAGE_H

#include "expr/functions.h"

enum { MLN_MESSAGE_FIELDS_MOST = 2 };

/* A line is a message and the fields that may be written together; several lines may share a message. */
struct mln_message {
    struct mln_function make; /* of the fields, in their order; its name is the message's */
    const char *fields[MLN_MESSAGE_FIELDS_MOST];
    mln_value empty; /* without any field; a field left out beside another one is the int 0 */
};

extern const struct mln_message mln_messages[];
extern const size_t mln_n_messages;

/* The constants of their enums: google.protobuf.NullValue.NULL_VALUE. */
bool mln_message_constant(struct mln_str name, mln_value *value);

#endif
