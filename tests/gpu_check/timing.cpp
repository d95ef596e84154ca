#include "tests/gpu_check/timing.h"

#include <algorithm>

namespace qaq::gpu_check {
namespace {

using cases::require;

constexpr int kWarmups = 3;
constexpr int kSamples = 21;
constexpr std::int64_t kMoreThanL2 = std::int64_t{256} << 20;  // bytes; an H100 has 50 MB
constexpr std::int64_t kPattern = 1 << 20;                     // numbers, copied over and over

class Event {
 public:
  Event() { require(cudaEventCreate(&event_), "cudaEventCreate"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record() { require(cudaEventRecord(event_, nullptr), "cudaEventRecord"); }
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

// Passes are queued one behind the other, so that the GPU never waits for the host.
double median_seconds(const Job& job) {
  for (int i = 0; i < kWarmups; ++i) prepare(job), run_pass(job);
  std::vector<Event> starts(kSamples), ends(kSamples);
  for (std::size_t i = 0; i < kSamples; ++i) {
    prepare(job);
    starts[i].record();
    run_pass(job);
    ends[i].record();
  }
  cases::wait(job.name);
  std::vector<double> seconds;
  for (std::size_t i = 0; i < kSamples; ++i) seconds.push_back(ends[i].seconds_since(starts[i]));
  std::ranges::nth_element(seconds, seconds.begin() + kSamples / 2);
  return seconds[kSamples / 2] / static_cast<double>(job.n_sets);
}

}  // namespace

void fill_from_seed(float* numbers, std::int64_t n, std::uint32_t seed) {
  if (n == 0) return;
  cases::Numbers random(seed);
  std::vector<float> pattern = random.bells(std::min(n, kPattern));
  for (float& x : pattern) {
    if (x == 0) x = 1;
  }
  auto done = std::ssize(pattern);
  require(
      cudaMemcpy(numbers, pattern.data(), pattern.size() * sizeof(float), cudaMemcpyHostToDevice),
      "copy to the device");
  for (; done < n; done *= 2) {
    require(cudaMemcpyAsync(numbers + done, numbers,
                            static_cast<std::size_t>(std::min(done, n - done)) * sizeof(float),
                            cudaMemcpyDeviceToDevice, nullptr),
            "copy on the device");
  }
  cases::wait("filling arrays");
}

Sets::Sets(const std::vector<std::int64_t>& sizes, bool few) {
  std::int64_t bytes = 0;
  for (const std::int64_t n : sizes) bytes += n * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t n_sets = few ? 2 : std::max<std::int64_t>(2, kMoreThanL2 / bytes + 1);
  std::uint32_t seed = 100;
  for (std::int64_t set = 0; set < n_sets; ++set) {
    std::vector<Array> arrays;
    for (const std::int64_t n : sizes) {
      arrays.push_back(std::make_unique<cases::DeviceArray<float>>(static_cast<std::size_t>(n)));
      fill_from_seed(arrays.back()->data(), n, seed++);
    }
    sets_.push_back(std::move(arrays));
  }
}

void measure(Context& context, const Job& job) {
  Row row{.section = job.section,
          .group = job.name,
          .name = job.name,
          .shape = job.shape,
          .compared = {},
          .timed = job.timed,
          .verdict = Verdict::none,
          .note = ""};
  if (context.options.shim) {
    prepare(job);
    run_pass(job);
    cases::wait(job.name);
    row.note = "not timed";
  } else {
    row.timed->seconds = median_seconds(job);
    row.verdict = speed_verdict(*row.timed, context.report.machine);
  }
  context.report.rows.push_back(std::move(row));
}

}  // namespace qaq::gpu_check
