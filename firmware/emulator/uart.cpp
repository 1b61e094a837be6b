#include "uart.h"

#include <algorithm>
#include <cmath>

namespace emulator {
namespace {

constexpr uint32_t BITS = 10;  // a byte with its start and stop bit
constexpr uint32_t BAUD = 115200;
constexpr double TOLERANCE = 0.03;  // what a receiver still understands
// Two bytes of buffer and the shift register.
constexpr int ROOM = 3;

}  // namespace

void Uart::attach(avr_t* avr, UartEvents events) {
  avr_ = avr;
  events_ = std::move(events);
  part_ = find_part<avr_uart_t>(avr, "uart", [](avr_uart_t* part) { return part->name == '0'; });
  // simavr would print what is sent, and sleep while the firmware polls.
  part_->flags = 0;
  avr_irq_register_notify(part_->io.irq + UART_IRQ_OUTPUT, on_byte, this);
}

void Uart::restart() {
  if (waiting()) avr_cycle_timer_register(avr_, avr_->frequency / BAUD * BITS, on_received, this);
}

uint32_t Uart::byte_cycles() const {
  const uint32_t divisor = avr_regbit_get(avr_, part_->ubrrl) | avr_regbit_get(avr_, part_->ubrrh) << 8;
  return BITS * (divisor + 1) * (avr_regbit_get(avr_, part_->u2x) ? 8 : 16);
}

void Uart::on_byte(avr_irq_t*, uint32_t byte, void* uart) {
  static_cast<Uart*>(uart)->transmit(static_cast<uint8_t>(byte));
}

void Uart::transmit(uint8_t byte) {
  part_->cycles_per_byte = byte_cycles();  // simavr counts a parity bit whether or not there is one
  const double baud = static_cast<double>(avr_->frequency) * BITS / byte_cycles();
  if (std::fabs(baud / BAUD - 1) > TOLERANCE && !wrong_speed_told_) {
    wrong_speed_told_ = true;
    events_.fault("the UART runs at " + std::to_string(std::lround(baud)) + " baud");
  }
  line_free_ = std::max(line_free_, avr_->cycle) + byte_cycles();
  events_.sent(line_free_, byte);
}

void Uart::receive(const uint8_t* bytes, size_t count) {
  const bool idle = !waiting();
  to_chip_.insert(to_chip_.end(), bytes, bytes + count);
  if (idle && waiting()) pass_on();
}

// The first byte that waits begins to arrive: simavr hands it to the firmware one byte's time later.
void Uart::pass_on() {
  const int unread = (part_->input.write - part_->input.read + uart_fifo_fifo_size) % uart_fifo_fifo_size;
  if (unread < ROOM) {
    part_->cycles_per_byte = byte_cycles();
    avr_raise_irq(part_->io.irq + UART_IRQ_INPUT, to_chip_.front());
  } else {
    events_.fault("the UART lost a byte: nobody had read the three before it");
  }
  avr_cycle_timer_register(avr_, static_cast<uint64_t>(avr_->frequency) * BITS / BAUD, on_received, this);
}

avr_cycle_count_t Uart::on_received(avr_t*, avr_cycle_count_t, void* param) {
  Uart& uart = *static_cast<Uart*>(param);
  uart.to_chip_.pop_front();
  if (uart.waiting()) uart.pass_on();
  return 0;
}

}  // namespace emulator
