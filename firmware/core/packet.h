// The meter's lines to the house, written a piece at a time: there is no room for a whole one, and no need.
#pragma once

#include <stdint.h>

#include "calibration.h"
#include "energy.h"
#include "measure.h"
#include "pulse.h"

namespace meter {

struct Packet {
  uint32_t boot_id;
  uint64_t uptime_ms;
  uint32_t sequence;
  Reading reading;
  Counters counters;
  bool generator_closed, grid_closed;
  uint16_t flags;  // all, the reading's among them
  uint32_t command_id;
  PulseState command_state;
};

extern const char FIRMWARE_VERSION[];

// Writes "$MTR,…*CCCC\r\n" as docs/protocol.md says, every number in its one spelling, within its limits: a
// value beyond them is written as the limit, what is no number as 0. Half a last digit is rounded away from
// zero.
class PacketWriter {
 public:
  PacketWriter() : packet_(nullptr), field_(IDLE) {}

  // The packet must stay as it is until the line is done. A line that is being written is broken off: wait until
  // `busy` is false.
  void begin(const Packet& packet, const char* firmware = FIRMWARE_VERSION);
  bool busy() const { return field_ != IDLE; }

  // The next few characters, at most PIECE; 0 when the line is done.
  static const uint8_t PIECE = 24;
  uint8_t next(char* text);

 private:
  static const uint8_t IDLE = 255;

  char* put_field(char* text) const;
  float power_of_field() const;
  uint32_t count_of_field() const;

  const Packet* packet_;
  const char* firmware_;
  uint8_t field_;
  uint16_t crc_;
};

// "$CAL,V1G,1000000*CCCC\r\n" or "$CAL,V1G,REFUSED*CCCC\r\n" into `text`; returns its length, at most
// CAL_LINE.
const uint8_t CAL_LINE = 32;
uint8_t write_calibration(Item item, int32_t value, bool refused, char* text);
// "$CAL,SAVED*CCCC\r\n"
uint8_t write_saved(char* text);

}  // namespace meter
