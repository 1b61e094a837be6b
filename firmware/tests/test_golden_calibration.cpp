#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "../core/calibration.h"
#include "../core/line.h"
#include "../core/packet.h"
#include "lines.h"

using namespace meter;

#ifndef GOLDEN_CALIBRATION
#define GOLDEN_CALIBRATION "../tests/unit/wire/golden_calibration.txt"  // from firmware/, where make runs the tests
#endif

namespace {

LineResult feed(const std::string& line, Command& command) {
  LineReader reader;
  LineResult result = NOTHING;
  for (char c : line + "\r\n") {
    const LineResult found = reader.feed(c, command);
    if (found != NOTHING) result = found;
  }
  return result;
}

// What a meter with this calibration answers, without the end of the line.
std::string answer(const Command& command, Calibration& calibration) {
  char text[CAL_LINE];
  uint8_t length;
  if (command.kind == CAL_SAVE) {
    length = write_saved(text);
  } else {
    const bool refused = command.kind == CAL_SET && !calibration.set(command.item, command.value);
    length = write_calibration(command.item, calibration.get(command.item), refused, text);
  }
  REQUIRE(length >= 2);
  return std::string(text, length - 2u);
}

}  // namespace

TEST_CASE("golden calibration lines: each is answered as the installer's tool expects it") {
  std::ifstream file(GOLDEN_CALIBRATION);
  Calibration calibration;
  std::string answered;
  unsigned asked = 0, refused = 0;
  for (std::string line; std::getline(file, line);) {
    CAPTURE(line);
    REQUIRE(line.size() > 2);
    const std::string text = line.substr(2);
    Command command = Command();
    switch (line[0]) {
      case '>':
        REQUIRE(feed(text, command) == COMMAND);
        answered = answer(command, calibration);
        ++asked;
        break;
      case '<':
        CHECK(answered == text);
        answered.clear();
        break;
      case '!':
        CHECK(feed(text, command) == FAULT);
        ++refused;
        break;
      default:
        CHECK(line[0] == '#');
    }
  }
  CHECK(asked == 6 * ITEMS + 1);
  CHECK(refused > 10);
}
