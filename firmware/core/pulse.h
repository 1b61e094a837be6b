// The two outputs that raise and lower a source: one pulse at a time, never both.
#pragma once

#include <stdint.h>

namespace meter {

enum PulseState : uint8_t { NO_COMMAND = 0, PULSING = 1, DONE = 2, REFUSED = 3 };  // as in the packet

// A relay lets go some milliseconds after its coil: the other must not come sooner.
const uint16_t REST_MS = 20;

class Pulser {
 public:
  Pulser() : id_(0), pulse_id_(0), left_ms_(0), rest_ms_(0), state_(NO_COMMAND), raise_(false), on_(false) {}

  // A command with the id of the last one, or of the last pulse, is the same command: it is not obeyed
  // twice. A pulse in the same direction replaces what is left of the one that runs; one in the other is
  // refused until that has ended and rested. A refused one leaves the pulse that runs alone, but `id` and
  // `state` tell of it from then on, even after that pulse has ended: they are always those of the newest
  // command. To be called with the interrupt of `tick` held off.
  PulseState command(uint32_t id, bool raise, uint16_t width_ms);

  // Every millisecond, in the timer's interrupt. True if the state changed. The outputs change here and
  // nowhere else, so a pulse lasts exactly as many ticks as it has milliseconds.
  bool tick();

  bool raising() const { return on_ && raise_; }
  bool lowering() const { return on_ && !raise_; }
  uint32_t id() const { return id_; }
  PulseState state() const { return state_; }

 private:
  uint32_t id_, pulse_id_;  // of the newest command; of the last that was obeyed
  uint16_t left_ms_, rest_ms_;
  PulseState state_;
  bool raise_;  // direction of the pulse that runs or rests
  bool on_;
};

}  // namespace meter
