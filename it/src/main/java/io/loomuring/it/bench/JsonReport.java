package io.loomuring.it.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/** Every sample as it was measured, for whoever wants to compute something else. */
final class JsonReport {
    private JsonReport() {}

    static String of(Results results, Map<String, String> conditions) {
        var report = new LinkedHashMap<String, Object>();
        report.put("conditions", conditions);
        var ringOperations = new LinkedHashMap<String, Object>();
        results.sidesOnRings()
                .forEach(side -> ringOperations.put(side.label(), results.ringOperations(side)));
        report.put("ring_operations", ringOperations);
        report.put("samples", results.samples().stream().map(JsonReport::fields).toList());
        return Json.write(report) + "\n";
    }

    private static Map<String, Object> fields(Sample sample) {
        Measurement measurement = sample.measurement();
        var fields = new LinkedHashMap<String, Object>();
        fields.put("server", sample.side().label());
        fields.put("round", sample.round());
        fields.put("connections", sample.connections());
        fields.put("requests", measurement.requests());
        fields.put("requests_per_second", measurement.requestsPerSecond());
        fields.put("server_cpu_us", measurement.serverCpuMicros());
        fields.put("server_user_us", measurement.userMicros());
        fields.put("server_system_us", measurement.systemMicros());
        fields.put("server_poller_us", measurement.pollerCpuMicros());
        fields.put("client_cpu_us", measurement.clientCpuMicros());
        fields.put("others_cores", measurement.othersCores());
        fields.put("system_calls", measurement.systemCalls());
        fields.put("p50_us", measurement.p50Micros());
        fields.put("p99_us", measurement.p99Micros());
        fields.put("p999_us", measurement.p999Micros());
        fields.put("max_us", measurement.maxMicros());
        return fields;
    }
}
