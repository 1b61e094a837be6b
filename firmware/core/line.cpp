#include "line.h"

#include "crc.h"

namespace meter {

namespace {

const uint8_t CHECKSUM_DIGITS = 4;
const uint16_t LONGEST_PULSE_MS = 60000;

// What is left to read of a line. Every reader moves on only over what it has taken.
struct Text {
  const char* at;
  const char* end;

  bool done() const { return at == end; }
  uint8_t left() const { return static_cast<uint8_t>(end - at); }
};

bool take(Text& text, char wanted) {
  if (text.done() || *text.at != wanted) return false;
  ++text.at;
  return true;
}

bool take_word(Text& text, const char* word) {
  Text ahead = text;
  for (; *word != '\0'; ++word) {
    if (!take(ahead, *word)) return false;
  }
  text = ahead;
  return true;
}

// A whole number up to `most` in its one spelling: no sign, and no zero before another digit.
bool take_number(Text& text, uint32_t most, uint32_t& value) {
  const char* const begin = text.at;
  const uint32_t tenth = most / 10;  // divided once: an AVR takes long over it
  const uint8_t last_digit = static_cast<uint8_t>(most - tenth * 10);
  value = 0;
  for (; !text.done() && *text.at >= '0' && *text.at <= '9'; ++text.at) {
    const uint8_t digit = static_cast<uint8_t>(*text.at - '0');
    const bool zero_first = value == 0 && text.at != begin;
    if (zero_first || value > tenth || (value == tenth && digit > last_digit)) return false;
    value = value * 10 + digit;
  }
  return text.at != begin;
}

bool take_signed(Text& text, int32_t& value) {
  const bool negative = take(text, '-');
  uint32_t magnitude;
  if (!take_number(text, negative ? 0x80000000u : 0x7FFFFFFFu, magnitude)) return false;
  if (negative && magnitude == 0) return false;
  // So that the lowest number of all, which has no positive twin, comes out too.
  value = negative ? -static_cast<int32_t>(magnitude - 1) - 1 : static_cast<int32_t>(magnitude);
  return true;
}

bool take_checksum(Text& text, uint16_t expected) {
  for (uint8_t digit = 0; digit < CHECKSUM_DIGITS; ++digit) {
    const uint8_t value = static_cast<uint8_t>(expected >> 12);
    if (!take(text, static_cast<char>(value < 10 ? '0' + value : 'A' + (value - 10)))) return false;
    expected = static_cast<uint16_t>(expected << 4);
  }
  return true;
}

bool read_pulse(Text text, Command& command) {
  uint32_t width_ms;
  if (!take_number(text, 0xFFFFFFFFu, command.id) || command.id == 0) return false;
  if (!take(text, ',') || !take_number(text, LONGEST_PULSE_MS, width_ms) || width_ms == 0) return false;
  command.width_ms = static_cast<uint16_t>(width_ms);
  return text.done();
}

bool read_calibration(Text text, Command& command) {
  if (take_word(text, "SAVE")) {
    command.kind = CAL_SAVE;
    return text.done();
  }
  if (text.left() < NAME_LENGTH) return false;
  command.item = item_named(text.at, NAME_LENGTH);
  if (command.item == ITEMS) return false;
  text.at += NAME_LENGTH;
  command.kind = CAL_GET;
  if (text.done()) return true;
  command.kind = CAL_SET;
  return take(text, ',') && take_signed(text, command.value) && text.done();
}

// A line without its end.
bool read_line(const char* line, uint8_t length, Command& command) {
  if (length <= CHECKSUM_DIGITS || line[length - CHECKSUM_DIGITS - 1] != '*') return false;
  Text text = {line, line + length - CHECKSUM_DIGITS - 1};
  Text checksum = {text.end + 1, line + length};
  if (!take_checksum(checksum, crc16(reinterpret_cast<const uint8_t*>(line), text.left()))) return false;
  command = Command();
  if (take_word(text, "CAL,")) return read_calibration(text, command);
  if (take_word(text, "RAISE,")) {
    command.kind = RAISE;
  } else if (take_word(text, "LOWER,")) {
    command.kind = LOWER;
  } else {
    return false;
  }
  return read_pulse(text, command);
}

}  // namespace

LineResult LineReader::feed(char byte, Command& command) {
  if (byte != '\n') {
    if (skipping_) return NOTHING;
    if (length_ == MAX_LINE) {
      skipping_ = true;
      return FAULT;
    }
    text_[length_++] = byte;
    return NOTHING;
  }
  uint8_t length = length_;
  const bool skipped = skipping_;
  length_ = 0;
  skipping_ = false;
  if (length > 0 && text_[length - 1] == '\r') --length;
  if (skipped || length == 0) return NOTHING;
  Command read;
  if (!read_line(text_, length, read)) return FAULT;
  command = read;
  return COMMAND;
}

}  // namespace meter
