#include "packet.h"

#include "crc.h"

namespace meter {

const char FIRMWARE_VERSION[] = "1.0.0";

namespace {

// The fields in their order; of those that stand there once a phase, the first.
enum Field : uint8_t {
  HEAD = 0,
  BOOT_ID,
  UPTIME,
  SEQUENCE,
  VOLTAGE,
  CURRENT = VOLTAGE + PHASES,
  POWER_FACTOR = CURRENT + PHASES,
  FREQUENCY = POWER_FACTOR + PHASES,
  GENERATOR_ACTIVE,
  GENERATOR_REACTIVE,
  GENERATOR_APPARENT,
  EXCHANGE_ACTIVE,
  EXCHANGE_REACTIVE,
  IMPORT_COUNTER,
  EXPORT_COUNTER,
  GENERATION_COUNTER,
  GENERATOR_BREAKER,
  GRID_BREAKER,
  FLAGS,
  COMMAND_ID,
  COMMAND_STATE,
  FIRMWARE,
  LINE_END,
};

// Limits of docs/protocol.md.
const float MOST_VOLTAGE_V = 1000.0f;
const float MOST_CURRENT_A = 2000.0f;
const float MOST_FREQUENCY_HZ = 100.0f;
const float MOST_POWER_W = 2000000.0f;
const uint64_t MOST_UPTIME_MS = 0x7FFFFFFFFFFFFFFFu;
const uint16_t ALL_FLAGS = 0x7F;
const uint8_t FIRMWARE_LENGTH = 16;

const uint8_t MOST_CHARS = 20;

uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

char* put_text(const char* from, uint8_t most, char* text) {
  for (; most > 0 && *from != '\0'; --most) *text++ = *from++;
  return text;
}

// A tenth of a number of some bytes, the least first; returns what is over. Bit by bit: an AVR takes a dozen
// instructions a bit for it, and far longer for a division of 64 bits.
uint8_t divide_by_ten(uint8_t* bytes, uint8_t count) {
  uint8_t rest = 0;
  while (count > 0) {
    uint8_t byte = bytes[--count];
    for (uint8_t bit = 0; bit < 8; ++bit) {
      rest = static_cast<uint8_t>(rest << 1 | byte >> 7);
      byte = static_cast<uint8_t>(byte << 1);
      if (rest >= 10) {
        rest = static_cast<uint8_t>(rest - 10);
        ++byte;
      }
    }
    bytes[count] = byte;
  }
  return rest;
}

// With a point before the last `decimals` digits.
char* put_whole(uint64_t value, char* text, uint8_t decimals = 0) {
  uint8_t bytes[sizeof value];
  uint8_t count = 0;
  for (; value > 0; value >>= 8) bytes[count++] = static_cast<uint8_t>(value);
  char backwards[MOST_CHARS];
  char* at = backwards;
  uint8_t digits = 0;
  do {
    *at++ = static_cast<char>('0' + divide_by_ten(bytes, count));
    if (++digits == decimals) *at++ = '.';
    while (count > 0 && bytes[count - 1] == 0) --count;
  } while (count > 0 || digits <= decimals);
  while (at > backwards) *text++ = *--at;
  return text;
}

// Within 0 … most; what is no number is 0.
char* put_fixed(float value, uint8_t decimals, float most, char* text) {
  uint32_t scaled = 0;
  if (value > 0.0f) {
    if (value > most) value = most;
    scaled = static_cast<uint32_t>(value * (decimals == 0 ? 1.0f : decimals == 2 ? 100.0f : 1000.0f) + 0.5f);
  }
  return put_whole(scaled, text, decimals);
}

char* put_power(float power_w, char* text) {
  if (power_w <= -0.5f) {
    *text++ = '-';
    power_w = -power_w;
  }
  return put_fixed(power_w, 0, MOST_POWER_W, text);
}

char* put_power_factor(const PhaseReading& phase, char* text) {
  text = put_fixed(phase.power_factor, 3, 1.0f, text);
  *text++ = phase.leading ? 'C' : 'L';
  *text++ = phase.exporting ? 'E' : 'I';
  return text;
}

char* put_hex(uint16_t value, char* text) {
  for (uint8_t digit = 0; digit < 4; ++digit) {
    const uint8_t bits = static_cast<uint8_t>(value >> 12);
    *text++ = static_cast<char>(bits < 10 ? '0' + bits : 'A' + (bits - 10));
    value = static_cast<uint16_t>(value << 4);
  }
  return text;
}

char* put_line_end(uint16_t crc, char* text) {
  *text++ = '*';
  text = put_hex(crc, text);
  *text++ = '\r';
  *text++ = '\n';
  return text;
}

uint16_t crc_of(const char* from, const char* end, uint16_t crc) {
  for (; from < end; ++from) crc = crc16(crc, static_cast<uint8_t>(*from));
  return crc;
}

uint8_t end_calibration_line(char* line, char* text) {
  return static_cast<uint8_t>(put_line_end(crc_of(line + 1, text, CRC_START), text) - line);
}

}  // namespace

void PacketWriter::begin(const Packet& packet, const char* firmware) {
  packet_ = &packet;
  firmware_ = firmware;
  field_ = HEAD;
  crc_ = CRC_START;
}

uint8_t PacketWriter::next(char* text) {
  if (!busy()) return 0;
  if (field_ == LINE_END) {
    field_ = IDLE;
    return static_cast<uint8_t>(put_line_end(crc_, text) - text);
  }
  char* end = put_field(text);
  if (field_ != FIRMWARE) *end++ = ',';
  crc_ = crc_of(field_ == HEAD ? text + 1 : text, end, crc_);  // not over the '$'
  ++field_;
  return static_cast<uint8_t>(end - text);
}

char* PacketWriter::put_field(char* text) const {
  const Reading& reading = packet_->reading;
  if (field_ >= VOLTAGE && field_ < FREQUENCY) {
    const PhaseReading& phase = reading.phase[(field_ - VOLTAGE) % PHASES];
    if (field_ < CURRENT) return put_fixed(phase.voltage_v, 2, MOST_VOLTAGE_V, text);
    if (field_ < POWER_FACTOR) return put_fixed(phase.current_a, 3, MOST_CURRENT_A, text);
    return put_power_factor(phase, text);
  }
  switch (field_) {
    case HEAD: return put_text("$MTR,1", PIECE, text);
    case UPTIME: return put_whole(least(packet_->uptime_ms, MOST_UPTIME_MS), text);
    case GENERATOR_APPARENT: return put_fixed(reading.generator.apparent_va, 0, MOST_POWER_W, text);
    case FREQUENCY: return put_fixed(reading.frequency_hz, 3, MOST_FREQUENCY_HZ, text);
    case FLAGS: return put_hex(packet_->flags & ALL_FLAGS, text);
    case FIRMWARE: return put_text(firmware_, FIRMWARE_LENGTH, text);
    default: break;
  }
  if (field_ >= GENERATOR_ACTIVE && field_ <= EXCHANGE_REACTIVE) return put_power(power_of_field(), text);
  return put_whole(count_of_field(), text);
}

float PacketWriter::power_of_field() const {
  const Power& generator = packet_->reading.generator;
  switch (field_) {
    case GENERATOR_ACTIVE: return generator.active_w;
    case GENERATOR_REACTIVE: return generator.reactive_var;
    case EXCHANGE_ACTIVE: return packet_->reading.exchange.active_w;
    default: return packet_->reading.exchange.reactive_var;
  }
}

uint32_t PacketWriter::count_of_field() const {
  switch (field_) {
    case BOOT_ID: return packet_->boot_id;
    case SEQUENCE: return packet_->sequence;
    case IMPORT_COUNTER: return packet_->counters.import_ws;
    case EXPORT_COUNTER: return packet_->counters.export_ws;
    case GENERATION_COUNTER: return packet_->counters.generation_ws;
    case GENERATOR_BREAKER: return packet_->generator_closed;
    case GRID_BREAKER: return packet_->grid_closed;
    case COMMAND_ID: return packet_->command_id;
    default: return packet_->command_state;
  }
}

uint8_t write_calibration(Item item, int32_t value, bool refused, char* text) {
  char* at = put_text("$CAL,", PacketWriter::PIECE, text);
  name_of(item, at);
  at += NAME_LENGTH;
  *at++ = ',';
  if (refused) {
    at = put_text("REFUSED", PacketWriter::PIECE, at);
  } else {
    const bool negative = value < 0;
    if (negative) *at++ = '-';
    // Negated as unsigned: the lowest number has no positive twin.
    at = put_whole(negative ? 0u - static_cast<uint32_t>(value) : static_cast<uint32_t>(value), at);
  }
  return end_calibration_line(text, at);
}

uint8_t write_saved(char* text) {
  return end_calibration_line(text, put_text("$CAL,SAVED", PacketWriter::PIECE, text));
}

}  // namespace meter
