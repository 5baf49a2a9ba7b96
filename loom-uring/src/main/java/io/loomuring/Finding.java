package io.loomuring;

/**
 * One thing that the doctor looked at.
 *
 * @param topic what
 * @param status how it stands
 * @param detail what was found
 * @param remedy what would make it better; empty if nothing needs to, or nothing is known to
 */
record Finding(String topic, Status status, String detail, String remedy) {
    /** How a thing stands. */
    enum Status {
        /** As it should be. */
        OK,
        /** Works, by less than it could. */
        LIMITED,
        /** Not there, and not needed for the main job. */
        ABSENT,
        /** Can't be known here; the detail says why. */
        UNKNOWN,
        /** Keeps loom-uring from carrying virtual threads. */
        BLOCKED
    }

    static Finding ok(String topic, String detail) {
        return new Finding(topic, Status.OK, detail, "");
    }

    static Finding limited(String topic, String detail, String remedy) {
        return new Finding(topic, Status.LIMITED, detail, remedy);
    }

    static Finding absent(String topic, String detail, String remedy) {
        return new Finding(topic, Status.ABSENT, detail, remedy);
    }

    static Finding unknown(String topic, String detail) {
        return new Finding(topic, Status.UNKNOWN, detail, "");
    }

    static Finding blocked(String topic, Obstacle obstacle) {
        return new Finding(topic, Status.BLOCKED, obstacle.reason(), obstacle.remedy());
    }
}
