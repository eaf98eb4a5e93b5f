"""Rules of Rekognition Custom Labels."""
