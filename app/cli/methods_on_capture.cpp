#include <algorithm>
#include <utility>

#include "app/cli/method_subject.h"
#include "app/cli/printable.h"
#include "core/analysis/method_comparison.h"
#include "core/base/stopwatch.h"
#include "core/base/text.h"
#include "data/capture/capture_file.h"

namespace qaq::cli {

MethodAnswer methods_on_capture(const MethodQuestion& question, const std::string& path,
                                SweepOptions compared, const Work& work) {
  const Stopwatch total;
  const auto capture = open_capture(path, work);
  const CaptureInfo& info = capture->info();
  if (compared.prefix == 0) {
    // Half of it at least, and all where rows behind it are not to be had.
    const std::int64_t n = std::min({compared.n_rows, info.n_query_rows(), info.n_tokens / 2});
    compared.prefix = info.n_tokens - n;
  }
  CaptureMeter meter({capture}, compared, work);
  const auto rows = methods_at_budgets(question.methods, question.budgets, meter, work);
  MethodAnswer out;
  out.subject = {.model = printable(info.model_name),
                 .items = printable(info.name),
                 .dtype = info.dtype,
                 .too_long = {}};
  out.result = method_tables(rows, nullptr);
  out.result.items = "attention rows";
  out.result.n = meter.n_rows();
  out.result.n_available = info.n_query_rows();
  out.result.settings = {
      cat("the first ", compared.prefix, " of ", info.n_tokens,
          " tokens quantized once; attention and output error are of the newest ", meter.n_rows(),
          " captured rows"),
      "errors are of each layer for itself: queries are those of the exact run"};
  if (info.dtype == DType::f32) {
    out.result.settings.emplace_back(
        "the capture is f32: what a method leaves exact takes 4 bytes a value");
  }
  out.result.seconds = total.seconds();
  return out;
}

}  // namespace qaq::cli
