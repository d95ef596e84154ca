#include "data/capture/h5_thread.h"

#include <hdf5.h>

namespace qaq::h5 {
namespace {

void set_up() {
  // At the end of the program the library would close files again that a full disk kept it from
  // closing, and crash: it has freed them. Files are closed by who opened them.
  H5dont_atexit();
  // The library would print its error stack; h5_error reads it instead.
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

struct H5Thread : Worker {
  H5Thread() { post(set_up); }
};

}  // namespace

Worker& thread() {
  static H5Thread the_thread;
  return the_thread;
}

}  // namespace qaq::h5
