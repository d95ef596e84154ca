#pragma once

#include <cstdint>
#include <string>

namespace qaq {

/// Room on the disk behind the end of a file, so that a disk that is full is found before the file
/// is touched. HDF5, opened after, writes into the room and cuts off the rest when it closes.
class DiskRoom {
 public:
  /// Throws Error{work} and leaves the file as it was where the disk cannot give `bytes`.
  DiskRoom(std::string path, std::int64_t bytes);
  DiskRoom(const DiskRoom&) = delete;
  DiskRoom& operator=(const DiskRoom&) = delete;
  /// Gives the room back, unless it was handed over.
  ~DiskRoom();

  /// From here on the room is HDF5's.
  void hand_over() { handed_over_ = true; }

 private:
  std::string path_;
  std::int64_t size_before_ = 0;
  bool handed_over_ = false;
};

}  // namespace qaq
