#include "tests/gpu_check/timing.h"

#include <algorithm>
#include <cmath>

#include "core/base/stopwatch.h"

namespace qaq::gpu_check {
namespace {

using cases::require;

constexpr int kWarmups = 3;
constexpr int kSamples = 21;
constexpr double kMostSeconds = 3;                             // in which runs begin
constexpr std::int64_t kMoreThanL2 = std::int64_t{256} << 20;  // bytes; an H100 has 50 MB
constexpr std::int64_t kPattern = 1 << 20;                     // numbers, copied over and over

class Event {
 public:
  Event() { require(cudaEventCreate(&event_), "cudaEventCreate"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(cudaStream_t stream) { require(cudaEventRecord(event_, stream), "cudaEventRecord"); }
  double seconds_since(const Event& start) const {
    float milliseconds = 0;
    require(cudaEventElapsedTime(&milliseconds, start.event_, event_), "cudaEventElapsedTime");
    return static_cast<double>(milliseconds) / 1e3;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

void run_pass(const Job& job) {
  for (std::size_t set = 0; set < job.n_sets; ++set) job.launch(set);
}

void prepare(const Job& job) {
  if (job.before) job.before();
}

void wait(const Job& job) { require(cudaStreamSynchronize(job.stream), job.name); }

double median(std::vector<double>& numbers) {
  const auto middle = numbers.begin() + std::ssize(numbers) / 2;
  std::ranges::nth_element(numbers, middle);
  return *middle;
}

// Passes are queued one behind the other, so that the GPU never waits for the host.
double median_seconds(const Job& job) {
  for (int i = 0; i < kWarmups; ++i) prepare(job), run_pass(job);
  std::vector<Event> starts(kSamples), ends(kSamples);
  for (std::size_t i = 0; i < kSamples; ++i) {
    prepare(job);
    starts[i].record(job.stream);
    run_pass(job);
    ends[i].record(job.stream);
  }
  wait(job);
  std::vector<double> seconds;
  for (std::size_t i = 0; i < kSamples; ++i) seconds.push_back(ends[i].seconds_since(starts[i]));
  return median(seconds) / static_cast<double>(job.n_sets);
}

double median_seconds(const Run& run) {
  std::vector<double> seconds;
  const Stopwatch all;
  for (int i = 0; i < kSamples && (i == 0 || all.seconds() < kMostSeconds); ++i) {
    if (run.before) run.before();
    const Stopwatch one;
    run.run();
    seconds.push_back(one.seconds());
  }
  return median(seconds);
}

// What all arrays are filled with.
const std::vector<float>& pattern() {
  static const std::vector<float> numbers = [] {
    std::vector<float> made = cases::Numbers(100).bells(kPattern);
    for (float& x : made) {
      if (std::abs(x) < 1e-3f) x = 1;  // none is zero in 16 bits, either
    }
    return made;
  }();
  return numbers;
}

// With its times and what they come to, or in the shim without.
void add(Context& context, Row row) {
  if (context.options.shim && row.timed) {
    row.timed->seconds = row.timed->most_seconds = 0;
    row.note += row.note.empty() ? "not timed" : "; not timed";
  } else if (row.timed) {
    row.verdict = speed_verdict(*row.timed, context.report.machine);
  }
  context.report.rows.push_back(std::move(row));
}

Row row_of(const std::string& section, const std::string& name, const std::string& shape,
           const std::optional<Timed>& timed) {
  return {.section = section,
          .group = name,
          .name = name,
          .shape = shape,
          .compared = {},
          .timed = timed,
          .verdict = Verdict::none,
          .note = ""};
}

}  // namespace

void fill_from_seed(void* numbers, std::int64_t n, DType dtype, std::uint32_t seed) {
  if (n == 0) return;
  const std::vector<float>& all = pattern();
  // Arrays begin at different places of it.
  std::vector<float> some(static_cast<std::size_t>(std::min(n, kPattern)));
  const std::size_t first = seed * std::size_t{7919} % all.size();
  for (std::size_t i = 0; i < some.size(); ++i) some[i] = all[(first + i) % all.size()];
  const auto size = static_cast<std::size_t>(bytes_of(dtype));
  std::vector<std::byte> bytes(some.size() * size);
  store_as(some, dtype, bytes.data());
  auto* to = static_cast<std::byte*>(numbers);
  require(cudaMemcpy(to, bytes.data(), bytes.size(), cudaMemcpyHostToDevice), "copy to the device");
  const std::size_t n_bytes = static_cast<std::size_t>(n) * size;
  for (std::size_t done = bytes.size(); done < n_bytes; done *= 2) {
    require(cudaMemcpyAsync(to + done, to, std::min(done, n_bytes - done), cudaMemcpyDeviceToDevice,
                            nullptr),
            "copy on the device");
  }
  cases::wait("filling arrays");
}

Sets::Sets(const std::vector<Array>& arrays, bool few) {
  std::int64_t bytes = 0;
  for (const Array& array : arrays) bytes += array.n * bytes_of(array.dtype);
  const std::int64_t n_sets = few ? 2 : std::max<std::int64_t>(2, kMoreThanL2 / bytes + 1);
  std::uint32_t seed = 100;
  for (std::int64_t set = 0; set < n_sets; ++set) {
    auto& all = sets_.emplace_back();
    for (const Array& array : arrays) {
      all.push_back(std::make_unique<cases::DeviceArray<std::byte>>(
          static_cast<std::size_t>(array.n * bytes_of(array.dtype))));
      fill_from_seed(all.back()->data(), array.n, array.dtype, seed++);
    }
  }
}

Job fast_job(const std::string& name, const std::string& shape, const Timed& timed,
             const Sets& sets, std::function<void(std::size_t)> launch) {
  return {.section = "fast",
          .name = name,
          .shape = shape,
          .timed = timed,
          .n_sets = sets.count(),
          .launch = std::move(launch)};
}

void measure(Context& context, const Job& job) {
  Timed timed = job.timed;
  if (context.options.shim) {
    prepare(job);
    run_pass(job);
    wait(job);
  } else {
    timed.seconds = median_seconds(job);
  }
  add(context, row_of(job.section, job.name, job.shape, timed));
}

double measure(Context& context, const Run& run) {
  if (run.before) run.before();
  run.run();  // graphs are captured, libraries choose, pages are touched
  Timed timed = run.timed;
  if (!context.options.shim) timed.seconds = median_seconds(run);
  add(context, row_of("fast", run.name, run.shape, timed));
  return timed.seconds;
}

void add_row(Context& context, const std::string& name, const std::string& shape,
             const std::optional<Timed>& timed, const std::string& note) {
  Row row = row_of("fast", name, shape, timed);
  row.note = note;
  add(context, std::move(row));
}

}  // namespace qaq::gpu_check
