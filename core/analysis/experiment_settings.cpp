#include "core/analysis/experiment_settings.h"

#include "core/base/text.h"

namespace qaq {

QaqParams qaq_params(const QaqSetting& setting) {
  QaqParams params;
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->target_quantization_error = setting.e;
    side->n_bits_min = setting.n_bits_min;
    side->n_bits_max = setting.n_bits_max;
    side->outliers_ratio = setting.outliers_ratio;
    side->last_n_attentions = setting.window;
  }
  return params;
}

std::string name_of(const QaqSetting& setting) {
  return cat("e ", number_text(setting.e), " bits ", setting.n_bits_min, "-", setting.n_bits_max);
}

QaqParams flat_params(int n_bits, double outliers_ratio) {
  QaqParams params;
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->use_attentions = false;
    side->n_bits_uniform = n_bits;
    side->outliers_ratio = outliers_ratio;
  }
  return params;
}

std::string bits_text(int n_bits) { return cat(n_bits, n_bits == 1 ? " bit" : " bits"); }

}  // namespace qaq
