// Lines from the house: RAISE and LOWER (docs/protocol.md, 1), and calibration.
#pragma once

#include <stdint.h>

#include "calibration.h"

namespace meter {

enum CommandKind : uint8_t { RAISE, LOWER, CAL_SET, CAL_GET, CAL_SAVE };

struct Command {
  CommandKind kind;
  uint32_t id;        // RAISE, LOWER: 1 … 2^32 - 1
  uint16_t width_ms;  // RAISE, LOWER: 1 … 60,000
  Item item;          // CAL_SET, CAL_GET
  int32_t value;      // CAL_SET; the item's own limits are not checked here
};

enum LineResult : uint8_t { NOTHING, COMMAND, FAULT };

const uint8_t MAX_LINE = 32;  // the longest command has 27 characters with its checksum

// Bytes in, commands out. A line that is overlong, garbled, cut or out of limits is one FAULT; an empty one
// is nothing. Whatever comes, the next line is read as if it had not been.
class LineReader {
 public:
  LineReader() : length_(0), skipping_(false) {}

  LineResult feed(char byte, Command& command);

 private:
  char text_[MAX_LINE];
  uint8_t length_;
  bool skipping_;
};

}  // namespace meter
