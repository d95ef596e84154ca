#pragma once

#include <string>

namespace qaq::h5 {

/// Why the last HDF5 call failed: the deepest entry of the library's error stack, which for a
/// failed system call is its message ("No space left on device"). Empty where nothing failed.
std::string failure_reason();

}  // namespace qaq::h5
