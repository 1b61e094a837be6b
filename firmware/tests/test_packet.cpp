#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../core/packet.h"
#include "lines.h"

using namespace meter;

namespace {

// All pieces of a packet, without the end of the line.
std::string print(const Packet& packet, const char* firmware = FIRMWARE_VERSION) {
  PacketWriter writer;
  CHECK_FALSE(writer.busy());
  writer.begin(packet, firmware);
  std::string line;
  while (writer.busy()) {
    char text[PacketWriter::PIECE];  // the sanitizer sees what goes beyond
    const uint8_t length = writer.next(text);
    REQUIRE(length > 0);
    REQUIRE(length <= sizeof text);
    line.append(text, length);
  }
  char none;
  CHECK(writer.next(&none) == 0);
  REQUIRE(line.size() > 2);
  CHECK(line.substr(line.size() - 2) == "\r\n");
  line.resize(line.size() - 2);
  return line;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  for (char c : line.substr(1, line.rfind('*') - 1)) {
    if (c == ',') {
      fields.push_back("");
    } else {
      fields.back() += c;
    }
  }
  REQUIRE(fields.size() == 29);
  return fields;
}

uint64_t whole64(const std::string& text) { return std::strtoull(text.c_str(), nullptr, 10); }
uint32_t whole(const std::string& text) { return static_cast<uint32_t>(whole64(text)); }
float real(const std::string& text) { return std::strtof(text.c_str(), nullptr); }

Packet parsed(const std::vector<std::string>& fields) {
  Packet packet = Packet();
  packet.boot_id = whole(fields[2]);
  packet.uptime_ms = whole64(fields[3]);
  packet.sequence = whole(fields[4]);
  Reading& reading = packet.reading;
  for (size_t phase = 0; phase < PHASES; ++phase) {
    const std::string& factor = fields[11 + phase];
    reading.phase[phase] = PhaseReading{real(fields[5 + phase]), real(fields[8 + phase]), real(factor),
                                        factor[5] == 'C', factor[6] == 'E'};
  }
  reading.frequency_hz = real(fields[14]);
  reading.generator = Power{real(fields[15]), real(fields[16]), real(fields[17])};
  reading.exchange.active_w = real(fields[18]);
  reading.exchange.reactive_var = real(fields[19]);
  packet.counters = Counters{whole(fields[20]), whole(fields[21]), whole(fields[22])};
  packet.generator_closed = fields[23] == "1";
  packet.grid_closed = fields[24] == "1";
  packet.flags = static_cast<uint16_t>(std::strtoul(fields[25].c_str(), nullptr, 16));
  packet.command_id = whole(fields[26]);
  packet.command_state = static_cast<PulseState>(whole(fields[27]));
  return packet;
}

}  // namespace

TEST_CASE("packet: golden lines print to the same bytes") {
  int packets = 0;
  for (const std::string& line : golden_lines()) {
    if (!begins_with(line, "$MTR,")) continue;
    const std::vector<std::string> fields = fields_of(line);
    CHECK(print(parsed(fields), fields[28].c_str()) == line);
    ++packets;
  }
  CHECK(packets >= 3);
}

TEST_CASE("packet: golden answers to calibration lines print to the same bytes") {
  for (const std::string& line : golden_lines()) {
    if (!begins_with(line, "$CAL,")) continue;
    char text[CAL_LINE];
    uint8_t length;
    if (begins_with(line, "$CAL,SAVED*")) {
      length = write_saved(text);
    } else {
      const Item item = item_named(line.data() + 5, NAME_LENGTH);
      const bool refused = line.substr(9, 8) == "REFUSED*";
      const int32_t value = refused ? 0 : static_cast<int32_t>(std::strtol(line.c_str() + 9, nullptr, 10));
      length = write_calibration(item, value, refused, text);
    }
    CHECK(std::string(text, length) == line + "\r\n");
  }
}

TEST_CASE("packet: with nothing measured, and the firmware's own version") {
  CHECK(print(Packet()) ==
        "$" + with_checksum("MTR,1,0,0,0,0.00,0.00,0.00,0.000,0.000,0.000,0.000LI,0.000LI,0.000LI,0.000,"
                            "0,0,0,0,0,0,0,0,0,0,0000,0,0," + std::string(FIRMWARE_VERSION)));
  CHECK(Pattern("[A-Za-z0-9._-]{1,16}").matches(FIRMWARE_VERSION));
}

TEST_CASE("packet: what is beyond the limits is written as the limit, what is no number as 0") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float none = std::numeric_limits<float>::quiet_NaN();
  Packet packet = Packet();
  packet.uptime_ms = 0xFFFFFFFFFFFFFFFFu;
  packet.flags = 0xFFFF;
  Reading& reading = packet.reading;
  reading.phase[0] = PhaseReading{infinity, 1e30f, 1.001f, false, false};
  reading.phase[1] = PhaseReading{-1.0f, -infinity, -0.5f, true, true};
  reading.phase[2] = PhaseReading{none, none, none, true, false};
  reading.frequency_hz = 100.001f;
  reading.generator = Power{infinity, -infinity, infinity};
  reading.exchange = Power{none, -2000001.0f, 0.0f};
  CHECK(print(packet, "a-name_of.23-characters") ==
        "$" + with_checksum("MTR,1,0,9223372036854775807,0,1000.00,0.00,0.00,2000.000,0.000,0.000,"
                            "1.000LI,0.000CE,0.000CI,100.000,2000000,-2000000,2000000,0,-2000000,0,0,0,0,0,"
                            "007F,0,0,a-name_of.23-cha"));
}

TEST_CASE("packet: halves are rounded away from zero, and zero has no sign") {
  Packet packet = Packet();
  Reading& reading = packet.reading;
  reading.phase[0].voltage_v = 0.125f;
  reading.phase[1].voltage_v = 9.995117188f;
  reading.phase[2].voltage_v = 0.00499f;
  reading.phase[0].current_a = 0.0625f;
  reading.phase[1].current_a = -0.0f;
  reading.phase[0].power_factor = 0.9995f;
  reading.phase[1].power_factor = 0.9994f;
  reading.generator = Power{-0.49f, -0.5f, 0.5f};
  reading.exchange = Power{-0.0f, 1234.5f, 0.0f};
  CHECK(print(packet) ==
        "$" + with_checksum("MTR,1,0,0,0,0.13,10.00,0.00,0.063,0.000,0.000,1.000LI,0.999LI,0.000LI,0.000,"
                            "0,-1,1,0,1235,0,0,0,0,0,0000,0,0," + std::string(FIRMWARE_VERSION)));
}

namespace {

uint32_t any32(std::mt19937& random) { return static_cast<uint32_t>(random() >> random() % 32); }

float any_float(std::mt19937& random, float most) {
  return static_cast<float>(random()) / 4294967296.0f * most / static_cast<float>(1 << random() % 24);
}

Packet any_packet(std::mt19937& random) {
  Packet packet = Packet();
  packet.boot_id = any32(random);
  packet.uptime_ms = (static_cast<uint64_t>(random()) << 32 | random()) >> (1 + random() % 63);
  packet.sequence = any32(random);
  for (PhaseReading& phase : packet.reading.phase) {
    phase = PhaseReading{any_float(random, 1000.0f), any_float(random, 2000.0f), any_float(random, 1.0f),
                         random() % 2 == 0, random() % 2 == 0};
  }
  packet.reading.frequency_hz = any_float(random, 100.0f);
  const float sign = random() % 2 == 0 ? 1.0f : -1.0f;
  packet.reading.generator = Power{sign * any_float(random, 2e6f), -sign * any_float(random, 2e6f),
                                   any_float(random, 2e6f)};
  packet.reading.exchange = Power{-sign * any_float(random, 2e6f), sign * any_float(random, 2e6f), 0.0f};
  packet.counters = Counters{any32(random), any32(random), any32(random)};
  packet.generator_closed = random() % 2 == 0;
  packet.grid_closed = random() % 2 == 0;
  packet.flags = static_cast<uint16_t>(random() % 128);
  packet.command_id = any32(random);
  packet.command_state = static_cast<PulseState>(random() % 4);
  return packet;
}

// One spelling only, as the house's reader has it.
const char GRAMMAR[] =
    "\\$MTR,1,(0|[1-9][0-9]{0,9}),(0|[1-9][0-9]{0,18}),(0|[1-9][0-9]{0,9})"
    "(,(0|[1-9][0-9]{0,3})\\.[0-9]{2}){3}(,(0|[1-9][0-9]{0,3})\\.[0-9]{3}){3}"
    "(,(0\\.[0-9]{3}|1\\.000)[LC][EI]){3},(0|[1-9][0-9]{0,2})\\.[0-9]{3}"
    "(,(0|-?[1-9][0-9]{0,6})){2},(0|[1-9][0-9]{0,6})(,(0|-?[1-9][0-9]{0,6})){2}"
    "(,(0|[1-9][0-9]{0,9})){3},[01],[01],00[0-7][0-9A-F],(0|[1-9][0-9]{0,9}),[0-3],[A-Za-z0-9._-]{1,16}"
    "\\*[0-9A-F]{4}";

bool near(float value, float written, float step) {
  return std::fabs(value - written) <= 0.5f * step + 1e-6f * std::fabs(value);
}

}  // namespace

TEST_CASE("packet: any values are written by the grammar, and read back as near as the decimals allow") {
  std::mt19937 random(4);
  const Pattern grammar(GRAMMAR);
  for (int round = 0; round < 3000; ++round) {
    const Packet packet = any_packet(random);
    const std::string line = print(packet);
    CAPTURE(line);
    REQUIRE(grammar.matches(line));
    REQUIRE(line == "$" + with_checksum(line.substr(1, line.rfind('*') - 1)));
    const Packet read = parsed(fields_of(line));
    REQUIRE(read.boot_id == packet.boot_id);
    REQUIRE(read.uptime_ms == packet.uptime_ms);
    REQUIRE(read.sequence == packet.sequence);
    for (int phase = 0; phase < PHASES; ++phase) {
      const PhaseReading &is = read.reading.phase[phase], &was = packet.reading.phase[phase];
      REQUIRE(near(was.voltage_v, is.voltage_v, 0.01f));
      REQUIRE(near(was.current_a, is.current_a, 0.001f));
      REQUIRE(near(was.power_factor, is.power_factor, 0.001f));
      REQUIRE(is.leading == was.leading);
      REQUIRE(is.exporting == was.exporting);
    }
    REQUIRE(near(packet.reading.frequency_hz, read.reading.frequency_hz, 0.001f));
    const Power &is = read.reading.generator, &was = packet.reading.generator;
    REQUIRE(near(was.active_w, is.active_w, 1.0f));
    REQUIRE(near(was.reactive_var, is.reactive_var, 1.0f));
    REQUIRE(near(was.apparent_va, is.apparent_va, 1.0f));
    REQUIRE(near(packet.reading.exchange.active_w, read.reading.exchange.active_w, 1.0f));
    REQUIRE(near(packet.reading.exchange.reactive_var, read.reading.exchange.reactive_var, 1.0f));
    REQUIRE(read.counters.import_ws == packet.counters.import_ws);
    REQUIRE(read.counters.export_ws == packet.counters.export_ws);
    REQUIRE(read.counters.generation_ws == packet.counters.generation_ws);
    REQUIRE(read.generator_closed == packet.generator_closed);
    REQUIRE(read.grid_closed == packet.grid_closed);
    REQUIRE(read.flags == packet.flags);
    REQUIRE(read.command_id == packet.command_id);
    REQUIRE(read.command_state == packet.command_state);
  }
}

TEST_CASE("packet: every voltage and current there is prints as it was read") {
  Packet packet = Packet();
  for (uint32_t n = 0; n <= 2000000; n += n < 1000 ? 1 : 37) {
    char voltage[16], current[16];
    std::snprintf(voltage, sizeof voltage, "%u.%02u", n / 100, n % 100);
    std::snprintf(current, sizeof current, "%u.%03u", n / 1000, n % 1000);
    packet.reading.phase[0].voltage_v = real(voltage);
    packet.reading.phase[0].current_a = real(current);
    const std::vector<std::string> fields = fields_of(print(packet));
    if (n <= 100000) REQUIRE(fields[5] == voltage);
    REQUIRE(fields[8] == current);
  }
}

TEST_CASE("packet: begun anew while one is written, only the new one is") {
  PacketWriter writer;
  Packet packet = Packet();
  char text[PacketWriter::PIECE];
  writer.begin(packet);
  for (int piece = 0; piece < 5; ++piece) writer.next(text);
  packet.sequence = 9;
  writer.begin(packet);
  std::string line;
  for (uint8_t length; (length = writer.next(text)) > 0;) line.append(text, length);
  CHECK(line == print(packet) + "\r\n");
}

TEST_CASE("packet: answers to calibration lines") {
  const auto answer = [](Item item, int32_t value, bool refused) {
    char text[CAL_LINE];
    return std::string(text, write_calibration(item, value, refused, text));
  };
  const int32_t lowest = std::numeric_limits<int32_t>::min();
  CHECK(answer(VOLTAGE_GAIN, 1000000, false) == "$" + with_checksum("CAL,V1G,1000000") + "\r\n");
  CHECK(answer(CURRENT_ANGLE, 0, false) == "$" + with_checksum("CAL,I1A,0") + "\r\n");
  CHECK(answer(SERIAL_NUMBER, -1, false) == "$" + with_checksum("CAL,SNR,-1") + "\r\n");
  CHECK(answer(CLOCK_PPM, lowest, false) == "$" + with_checksum("CAL,CLK,-2147483648") + "\r\n");
  CHECK(answer(BANDGAP_UV, lowest, true) == "$" + with_checksum("CAL,BGU,REFUSED") + "\r\n");
  char text[CAL_LINE];
  CHECK(std::string(text, write_saved(text)) == "$" + with_checksum("CAL,SAVED") + "\r\n");
}
