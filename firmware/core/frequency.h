// Mains frequency from input captures of phase 1's rising edges (4.4.3).
#pragma once

#include <stdint.h>

namespace meter {

const float LOWEST_HZ = 40.0f;
const float HIGHEST_HZ = 70.0f;

// Counts whole periods; a period that no mains has (an edge lost, a spike) is left out.
class Frequency {
 public:
  Frequency() { restart(); last_known_ = false; }

  // Forget the periods, but not the last edge: the next second begins there.
  void restart() { ticks_ = 0; periods_ = 0; }
  void capture(uint32_t at);
  // No edge for so long that the next one ends no period.
  void silence() { last_known_ = false; }

  // Hz, corrected for a crystal that is fast by `clock_ppm`; 0 without voltage.
  float hertz(int32_t clock_ppm) const;

 private:
  uint32_t last_, ticks_;
  uint16_t periods_;
  bool last_known_;
};

}  // namespace meter
