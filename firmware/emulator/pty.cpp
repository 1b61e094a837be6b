#include "pty.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <stdexcept>

namespace emulator {

Pty::Pty() {
  termios raw = {};
  cfmakeraw(&raw);
  raw.c_cflag |= CS8 | CREAD | CLOCAL;
  cfsetspeed(&raw, B115200);
  char name[64];
  int other_end;
  if (openpty(&master_, &other_end, name, &raw, nullptr)) throw std::runtime_error("No pseudo-terminal is to be had.");
  name_ = name;
  fcntl(master_, F_SETFL, O_NONBLOCK);
  // From here on it is known whether anybody has it open, so nobody is given what was sent to nobody.
  close(other_end);
}

Pty::~Pty() { close(master_); }

bool Pty::opened() const {
  pollfd fd = {master_, 0, 0};
  return poll(&fd, 1, 0) >= 0 && !(fd.revents & POLLHUP);
}

void Pty::write(uint8_t byte) {
  if (opened() && ::write(master_, &byte, 1) != 1) return;  // full: the byte is lost, as on a wire
}

size_t Pty::read(uint8_t* bytes, size_t room) {
  const ssize_t count = opened() ? ::read(master_, bytes, room) : 0;
  return count > 0 ? static_cast<size_t>(count) : 0;
}

}  // namespace emulator
