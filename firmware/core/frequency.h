// Mains frequency from input captures of phase 1's rising edges (4.4.3).
#pragma once

#include <stdint.h>

namespace meter {

const float LOWEST_HZ = 40.0f;
const float HIGHEST_HZ = 70.0f;

// Counts whole periods. Left out are: an edge that comes too soon (a spike, chatter), a period that is too
// long (an edge was lost), and one that differs from the one before by more than mains can.
class Frequency {
 public:
  Frequency() : last_(0) { restart(); silence(); }

  // Forget the periods, but not the last edge: the next second begins there.
  void restart() { ticks_ = 0; periods_ = 0; }
  void capture(uint32_t at);
  // No edge for so long that the next one ends no period.
  void silence() { last_known_ = false; before_ticks_ = 0; }
  // Whether no period was counted since the restart.
  bool silent() const { return periods_ == 0; }

  // Hz, corrected for a crystal that is fast by `clock_ppm`; 0 without voltage.
  float hertz(int32_t clock_ppm) const;

 private:
  uint32_t last_, ticks_;
  uint16_t periods_;
  uint16_t before_ticks_;  // the period before, counted or not; 0 for none
  bool last_known_;
};

}  // namespace meter
