#pragma once

#include "core/model/known_shapes.h"

namespace qaq::test {

using qaq::llama2_13b;
using qaq::llama2_70b;
using qaq::llama2_7b;
using qaq::smollm2_135m;

}  // namespace qaq::test
