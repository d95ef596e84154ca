#include "views/models/latest_job.h"

#include <utility>

namespace qaq::views {

LatestJob::LatestJob(std::chrono::milliseconds patience)
    : m_patience(patience), m_thread([this](const std::stop_token& closing) { run(closing); }) {}

LatestJob::~LatestJob() {
  m_thread.request_stop();
  cancel();
}

void LatestJob::submit(Job job) {
  {
    const std::scoped_lock lock(m_mutex);
    m_next = std::move(job);
    const bool tried = !m_held && Clock::now() - m_started > m_patience;
    if (m_running.stop_possible() && tried) m_running.request_stop();
  }
  m_wake.notify_one();
}

void LatestJob::cancel() {
  const std::scoped_lock lock(m_mutex);
  m_next.reset();
  m_running.request_stop();
}

void LatestJob::hold() {
  const std::scoped_lock lock(m_mutex);
  m_held = true;
}

void LatestJob::release() {
  const std::scoped_lock lock(m_mutex);
  m_held = false;
  m_started = Clock::now();
}

void LatestJob::run(const std::stop_token& closing) {
  while (true) {
    Job job;
    std::stop_token stop;
    {
      std::unique_lock lock(m_mutex);
      m_running = std::stop_source(std::nostopstate);
      if (!m_wake.wait(lock, closing, [this] { return m_next.has_value(); })) return;
      if (closing.stop_requested()) return;
      job = std::move(*m_next);
      m_next.reset();
      m_running = std::stop_source();
      m_started = Clock::now();
      m_held = false;
      stop = m_running.get_token();
    }
    job(stop);
  }
}

}  // namespace qaq::views
