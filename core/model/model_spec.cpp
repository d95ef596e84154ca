#include "core/model/model_spec.h"

namespace qaq {

std::string_view name_of(Activation activation) {
  switch (activation) {
    case Activation::swiglu:
      return "silu";
    case Activation::relu:
      return "relu";
    case Activation::gelu:
      return "gelu";
    case Activation::gelu_tanh:
      return "gelu_tanh";
  }
  return "";
}

}  // namespace qaq
