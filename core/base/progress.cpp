#include "core/base/progress.h"

#include "core/base/error.h"

namespace qaq {

void Work::throw_if_stopped() const {
  if (stopped()) throw Error(ErrorKind::interrupted, {.what = "interrupted"});
}

}  // namespace qaq
