// The Uno: an ATmega328P of 16 MHz in simavr, its pins wired to the front end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "front_end.h"
#include "simavr.h"
#include "uart.h"

namespace emulator {

constexpr uint64_t CYCLES_PER_US = 16;

enum class ResetKind { POWER, BROWN_OUT, EXTERNAL, WATCHDOG };
enum Output { RAISE, LOWER, MUX, OUTPUTS };

struct ChipEvents {
  std::function<void(uint64_t us, uint8_t byte)> sent;
  std::function<void(uint64_t us, Output output, bool high)> pin;
  std::function<void(const std::string& text)> fault;
};

class Chip {
 public:
  // Switched on, with power-on reset. Throws std::runtime_error with a sentence if the ELF file cannot be run.
  Chip(const std::string& elf_path, FrontEnd& front_end, uint64_t seed, ChipEvents events);
  ~Chip();
  Chip(const Chip&) = delete;
  Chip& operator=(const Chip&) = delete;

  // Runs on to this time since the start; false if the chip has crashed, which was reported as a fault.
  bool run_until(uint64_t us);

  // To ground while closed; open, the chip's own pull-up decides, and without one the pin reads low.
  void contact(Side side, bool closed);
  Uart& uart() { return uart_; }
  // Power and brown-out leave random RAM behind, and spoil the byte that the EEPROM was writing.
  void reset(ResetKind kind);

  std::vector<uint8_t> eeprom() const;
  // What does not fit is cut off.
  void poke_eeprom(size_t address, const std::vector<uint8_t>& bytes);
  // Bytes between the static variables and the deepest stack since the last loss of power.
  int stack_headroom() const;

 private:
  struct OutputWire {
    Chip* chip;
    Output output;
    bool high;
  };
  struct EdgeWire {
    Chip* chip;
    bool level, next;
  };

  // simavr calls functions without `this`, and at a reset without any parameter of ours.
  static Chip* the_chip;
  static void on_reset(avr_t* avr);
  static avr_cycle_count_t on_started(avr_t* avr, avr_cycle_count_t when, void* chip);
  static avr_cycle_count_t on_step(avr_t* avr, avr_cycle_count_t when, void* chip);
  static avr_cycle_count_t on_halt(avr_t* avr, avr_cycle_count_t when, void* chip);
  static avr_cycle_count_t on_edge(avr_t* avr, avr_cycle_count_t when, void* edge_wire);
  static avr_cycle_count_t on_eeprom_written(avr_t* avr, avr_cycle_count_t when, void* chip);
  static void on_conversion(avr_irq_t* irq, uint32_t mux, void* chip);
  static void on_port_b(avr_irq_t* irq, uint32_t value, void* chip);
  static void on_output(avr_irq_t* irq, uint32_t value, void* output_wire);
  static void on_eeprom_control(avr_t* avr, avr_io_addr_t address, uint8_t value, void* chip);

  void load(const std::string& elf_path);
  void connect();
  void restart();
  void convert(avr_adc_mux_t mux);
  void drive(avr_ioport_t* port, int bit, bool level);
  void drive_squares();
  void drive_contacts();
  void lose_power();
  void register_at(uint64_t cycle, avr_cycle_timer_t timer, void* param);

  FrontEnd& front_end_;
  ChipEvents events_;
  Random random_;
  avr_t* avr_;
  void (*core_reset_)(avr_t*) = nullptr;
  avr_ioport_t *port_b_ = nullptr, *port_d_ = nullptr;
  avr_adc_t* adc_ = nullptr;
  avr_eeprom_t* eeprom_ = nullptr;
  Uart uart_;
  OutputWire output_[OUTPUTS];
  EdgeWire edge_[CHANNELS];
  bool contact_closed_[SIDES] = {};
  uint64_t next_step_ = 0, halt_at_ = 0;
  uint64_t eeprom_armed_until_ = 0, eeprom_busy_until_ = 0;
  size_t eeprom_address_ = 0;
  size_t stack_end_ = 0;           // where the static variables end
  std::vector<uint8_t> painted_;  // RAM as the last loss of power left it
};

}  // namespace emulator
