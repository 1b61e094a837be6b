// The UART as a partner at 115200 8N1 sees it: ten bits a byte, and two bytes of room in the chip.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "simavr.h"

namespace emulator {

struct UartEvents {
  std::function<void(uint64_t cycle, uint8_t byte)> sent;  // when its stop bit is over
  std::function<void(const std::string& text)> fault;
};

class Uart {
 public:
  void attach(avr_t* avr, UartEvents events);

  // Bytes to the chip, one after the other behind those that wait.
  void receive(const uint8_t* bytes, size_t count);
  bool waiting() const { return !to_chip_.empty(); }
  // After a reset, which ends simavr's timers: what waits goes on being received.
  void restart();

 private:
  static void on_byte(avr_irq_t* irq, uint32_t byte, void* uart);
  static avr_cycle_count_t on_received(avr_t* avr, avr_cycle_count_t when, void* uart);
  uint32_t byte_cycles() const;
  void transmit(uint8_t byte);
  void pass_on();

  avr_t* avr_ = nullptr;
  avr_uart_t* part_ = nullptr;
  UartEvents events_;
  std::deque<uint8_t> to_chip_;
  uint64_t line_free_ = 0;
  bool wrong_speed_told_ = false;
};

}  // namespace emulator
