// A whole meter on a bench, without its board: mains that make counts and edges, an EEPROM, a serial line.
#pragma once

#include <doctest/doctest.h>
#include <math.h>
#include <stdint.h>

#include <string>
#include <vector>

#include "../core/meter.h"
#include "lines.h"

// Busy for 4 ms after each byte it writes, as the ATmega's is for 3.4.
class RigEeprom : public meter::ByteStore {
 public:
  RigEeprom() : bytes(meter::STORE_BYTES, 0xFF) {}

  uint8_t read(uint16_t address) override { return bytes.at(address); }
  bool ready() override { return busy_ms == 0; }
  void write(uint16_t address, uint8_t byte) override {
    REQUIRE(ready());
    if (bytes.at(address) == byte) return;
    bytes.at(address) = byte;
    busy_ms = 4;
    ++writes;
  }
  void pass_ms() {
    if (busy_ms > 0) --busy_ms;
  }

  std::vector<uint8_t> bytes;
  int busy_ms = 0;
  int writes = 0;
};

struct Line {
  std::string text;  // between '$' and '*'
  uint64_t at_ms;    // its first byte

  std::vector<std::string> fields() const {
    std::vector<std::string> result(1);
    for (char c : text) {
      if (c == ',') {
        result.push_back("");
      } else {
        result.back() += c;
      }
    }
    return result;
  }
  // As docs/protocol.md counts them, from 1.
  std::string field(size_t number) const { return fields().at(number - 1); }
  double number(size_t field_number) const { return std::stod(field(field_number)); }
  unsigned flags() const { return static_cast<unsigned>(std::stoul(field(26), nullptr, 16)); }
  bool packet() const { return begins_with(text, "MTR,"); }
};

struct Rig {
  struct Load {
    double current_a, lag_deg;
  };
  double voltage_v = 230;
  double hz = 50;
  double supply_v = 5.0;
  Load load[meter::SIDES] = {{0, 0}, {0, 0}};
  bool generator_contact = false, grid_contact = true;

  RigEeprom& eeprom;
  meter::Meter meter;
  meter::AdcSums sums[2] = {};
  int counting = 0;
  uint32_t first_ms;
  uint64_t passed_ms = 0;
  uint32_t ticks;
  meter::Side side = meter::TIE;
  meter::Squares before = 0;
  std::vector<Line> lines;
  std::string open;  // the line that is being sent
  uint64_t open_at_ms = 0;
  double wire_room = 63;
  int raised_ms = 0, lowered_ms = 0;

  explicit Rig(RigEeprom& its_eeprom, uint32_t its_first_ms = 0, bool brown_out = false,
               const meter::Counters* kept = nullptr)
      : eeprom(its_eeprom), meter(its_eeprom), first_ms(its_first_ms), ticks(4294000000u) {
    meter.begin(brown_out, kept, first_ms);
  }

  meter::AdcSum adc(double pin_v) const {
    const uint16_t count = 1000;
    const double counts = fmin(fmax(pin_v / supply_v * 1023 - 0.5, 0.0), 1023.0);
    const uint16_t peak = static_cast<uint16_t>(ceil(counts));
    return meter::AdcSum{static_cast<uint32_t>(lround(counts * count)), count, peak};
  }

  static double pin_v(const meter::FrontEnd& front_end, double rms) {
    return rms / static_cast<double>(front_end.ratio) * sqrt(2.0) / static_cast<double>(front_end.divider);
  }

  const meter::AdcSums& measured(meter::Side its_side) {
    meter::AdcSums& its = sums[counting ^= 1];
    const double voltage_pin_v = pin_v(meter::VOLTAGE_FRONT_END, voltage_v);
    const double current_pin_v = pin_v(meter::CURRENT_FRONT_END, load[its_side].current_a);
    for (uint8_t phase = 0; phase < meter::PHASES; ++phase) {
      its.channel[meter::VOLTAGE_CHANNEL + phase] = adc(voltage_pin_v);
      its.channel[meter::CURRENT_CHANNEL + phase] = adc(current_pin_v);
    }
    its.channel[meter::BANDGAP_CHANNEL] = adc(1.1);
    return its;
  }

  static bool positive(double turns) { return turns - floor(turns) < 0.5; }

  void edges_of_ms() {
    for (int step = 0; step < 50; ++step, ticks += 40) {
      const double turns = (static_cast<double>(passed_ms) + step / 50.0) / 1000 * hz + 0.001;
      meter::Squares now = 0;
      for (uint8_t phase = 0; phase < meter::PHASES; ++phase) {
        const double own = turns - phase / 3.0;
        const bool voltage = voltage_v > 1 && positive(own);
        const bool current = load[side].current_a > 0 && positive(own - load[side].lag_deg / 360);
        const int bits = voltage << phase | (voltage != current) << (meter::PHASES + phase);
        now = static_cast<meter::Squares>(now | bits);
      }
      if (now != before) meter.edge(ticks, now);
      if (now & ~before & 1) meter.capture(ticks);
      before = now;
    }
  }

  void take(const char* piece, uint8_t length) {
    wire_room -= length;
    REQUIRE(wire_room >= 0);
    for (uint8_t i = 0; i < length; ++i) {
      if (open.empty()) open_at_ms = passed_ms;
      open += piece[i];
      if (piece[i] != '\n') continue;
      const size_t star = open.size() - 7;
      REQUIRE(open[0] == '$');
      REQUIRE(open == "$" + with_checksum(open.substr(1, star - 1)) + "\r\n");
      lines.push_back(Line{open.substr(1, star - 1), open_at_ms});
      open.clear();
    }
  }

  // The main loop.
  void loop(uint32_t now_ms) {
    meter.tick(now_ms, generator_contact, grid_contact);
    if (meter.side() != side) {
      const meter::AdcSums& ended = measured(side);
      side = meter.side();
      meter.slot_ended(ended);
    }
    for (bool more = true; more;) {
      char text[meter::CAL_LINE];
      while (const uint8_t length = meter.send(text, static_cast<uint8_t>(wire_room))) take(text, length);
      more = meter.work();
    }
  }

  // `late`: as much of it without the main loop.
  void pass(uint64_t ms, uint64_t late = 0) {
    for (; ms > 0; --ms) {
      edges_of_ms();
      ++passed_ms;
      eeprom.pass_ms();
      wire_room = fmin(wire_room + 11.5, 63);
      meter.pulser().tick();
      REQUIRE_FALSE((meter.pulser().raising() && meter.pulser().lowering()));
      raised_ms += meter.pulser().raising();
      lowered_ms += meter.pulser().lowering();
      if (late > 0) {
        --late;
      } else {
        loop(first_ms + static_cast<uint32_t>(passed_ms));
      }
    }
  }

  void receive(const std::string& bytes) {
    for (char byte : bytes) {
      if (meter.receive(byte)) meter.obey();
    }
  }
  void command(const std::string& text) { receive(with_checksum(text) + "\r\n"); }

  // What is sent in so long.
  std::vector<Line> sent_in(uint64_t ms) {
    const size_t from = lines.size();
    pass(ms);
    return std::vector<Line>(lines.begin() + static_cast<std::ptrdiff_t>(from), lines.end());
  }
  Line only_line_in(uint64_t ms) {
    const std::vector<Line> sent = sent_in(ms);
    REQUIRE(sent.size() == 1);
    return sent[0];
  }
  // A setting as an installer makes it.
  void calibrate(const std::string& text) {
    command("CAL," + text);
    CHECK(only_line_in(10).text == "CAL," + text);
  }
};
