// The line protocol: commands in, events and answers out. Times are microseconds since the start.
//
//   set KEY VALUE [KEY VALUE…]   f, v1…v3, i1…i3, ia1…ia3, g1…g3, ga1…ga3, hv3…hv15, hi3…hi15, tie, gen, vcc
//   run US                       events as they happen
//   rx HEX                       bytes to the UART
//   reset power|brownout|external|watchdog
//   save, eeprom, poke-eeprom ADDRESS HEX, truth, probe, stack, quit
//
//   tx US HEX, pin raise|lower|mux US 0|1, truth IMPORT EXPORT GENERATION, stack FREE, eeprom HEX, fault TEXT
//   probe V V V  V V V  V V V   at the ADC's pins: voltages, currents of the tie, of the generator
//
// Each command ends with "ok NOW" or "error TEXT".
#pragma once

#include <signal.h>

#include <cstdint>
#include <memory>
#include <sstream>
#include <string>

#include "chip.h"
#include "pty.h"

namespace emulator {

struct Options {
  std::string elf_path, eeprom_path;
  Profile profile = ACTIVE;
  uint64_t seed = 1;
  bool noise = true, pty = false, realtime = false;
};

class Console {
 public:
  // Throws std::runtime_error with a sentence. A run breaks off when `told_to_end` turns true.
  Console(const Options& options, const volatile sig_atomic_t& told_to_end);

  // False if this was the last one.
  bool command(const std::string& line);
  // False if the chip has crashed.
  bool run_until(uint64_t us);
  uint64_t now_us() const { return now_us_; }
  // To stdout: in real time only what has been asked for, as nobody may be reading.
  void flush();
  // To the file, if there is one.
  void save_eeprom() const;

 private:
  std::string obey(const std::string& name, std::istringstream& words);
  std::string set(std::istringstream& words);
  std::string run(std::istringstream& words);
  std::string reset(std::istringstream& words);
  std::string poke(std::istringstream& words);
  std::string receive(std::istringstream& words);
  void event(const std::string& line);
  void load_eeprom();

  Options options_;
  const volatile sig_atomic_t& told_to_end_;
  FrontEnd front_end_;
  Settings settings_;
  std::unique_ptr<Pty> pty_;
  std::unique_ptr<Chip> chip_;
  std::string out_;
  uint64_t now_us_ = 0;
  bool running_ = true, crashed_ = false;
};

}  // namespace emulator
