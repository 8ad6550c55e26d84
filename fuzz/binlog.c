/* Any bytes as a binary log, read in one and in pieces. */
#include "binlog/binlog.h"
#include "changes.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    assert_changes_alike(&binlog_decoder, (struct str){(const char *)data, size});
    return 0;
}
