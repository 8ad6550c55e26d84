/* The TCP connections of a capture: their bytes in order, given to a decoder each.
 *
 * A segment waits until all before it is there, and all of the other side that it acknowledges: so an answer never comes before its
 * question, however packets were shuffled. What does not come is lost: after FLOW_WAIT_PACKETS of the connection, FLOW_WAIT_US or
 * FLOW_WAIT_BYTES, the decoder is told of a hole. Connections beyond FLOWS_MAX or FLOWS_BYTES_MAX are forgotten, those first that
 * were silent longest.
 */
#ifndef LW_WIRE_FLOW_H
#define LW_WIRE_FLOW_H

#include "wire/packet.h"
#include "wire/wire.h"

enum {
    FLOWS_MAX = 16384,
    FLOWS_BYTES_MAX = 256 << 20,
    FLOW_WAIT_PACKETS = 1024,
    FLOW_WAIT_BYTES = 1 << 20,
    FLOW_WAIT_US = 3000000,
};

struct flows;

/* Never NULL. `server_port` 0: the usual ones, else what the first bytes tell. */
struct flows *flows_open(const struct trace_sink *sink, struct str file, uint16_t server_port);
void flows_add(struct flows *flows, const struct packet *packet, int64_t time_us, uint64_t offset);
/* The capture goes on in this file. */
void flows_next_file(struct flows *flows, struct str file);
/* The capture ends: what waits is told as it is. */
void flows_end(struct flows *flows);
void flows_close(struct flows *flows);

#endif
