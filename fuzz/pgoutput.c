/* Any bytes as a recording of logical decoding, read in one and in pieces. */
#include "changes.h"
#include "pgoutput/pgoutput.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    assert_changes_alike(&pgoutput_decoder, (struct str){(const char *)data, size});
    return 0;
}
