#pragma once

#include "core/base/worker.h"

namespace qaq::h5 {

/// The one thread that talks to the HDF5 library, which keeps global state. Every call into it, of
/// every reader and writer, goes through run(). Started at the first use, joined when the program
/// ends.
Worker& thread();

}  // namespace qaq::h5
